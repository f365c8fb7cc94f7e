using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Granary.Deployment.Tests;

/// <summary>Renders folders of k8s/ with <c>kubectl kustomize</c> or <c>kustomize build</c>, whichever this machine has.</summary>
internal static class Kustomize
{
    private static readonly ConcurrentDictionary<string, Lazy<IReadOnlyList<JsonNode>>> Rendered = new();

    /// <summary>The objects a folder of k8s/ stands for.</summary>
    public static IReadOnlyList<JsonNode> Render(string folder) =>
        Rendered.GetOrAdd(folder, static f => new(() => YamlText.Parse(Run(Repository.PathOf($"k8s/{f}"))))).Value;

    /// <summary>Whichever program of the two a search path holds.</summary>
    /// <exception cref="InvalidOperationException">Neither.</exception>
    public static (string File, string Verb) Find(string searchPath)
    {
        foreach (var (name, verb) in ((string, string)[])[("kubectl", "kustomize"), ("kustomize", "build")])
        {
            var file = searchPath.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
                .SelectMany(f => new[] { Path.Combine(f, name), Path.Combine(f, name + ".exe") }).FirstOrDefault(File.Exists);
            if (file is not null)
                return (file, verb);
        }

        throw new InvalidOperationException(
            "Neither kubectl nor kustomize is on the PATH. The tests of k8s/ render its manifests with one of them: install either "
            + "(https://kubernetes.io/docs/tasks/tools/); no cluster is needed.");
    }

    private static string Run(string folder)
    {
        var (file, verb) = Find(Environment.GetEnvironmentVariable("PATH") ?? "");
        using var process = Process.Start(new ProcessStartInfo(file, [verb, folder])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        var said = errors.GetAwaiter().GetResult();
        return process.ExitCode == 0
            ? output
            : throw new InvalidOperationException($"{file} {verb} {folder}: exit code {process.ExitCode}\n{said}");
    }
}
