using System.Diagnostics;

namespace Granary.Benchmarks;

/// <summary>How each driver is started.</summary>
internal static class PeerCommands
{
    private static readonly Dictionary<string, string[]> Drivers = new(StringComparer.Ordinal)
    {
        ["hnswlib"] = ["bin/hnswlib"],
        ["usearch-f32"] = ["bin/usearch", "f32"],
        ["usearch-i8"] = ["bin/usearch", "i8"],
        ["usearch-i8-scaled"] = ["bin/usearch", "i8-scaled"],
        ["faiss"] = ["bin/faiss"],
        ["lucene"] = ["lucene/LuceneDriver.java"],
        ["sqlite-fts5"] = ["sqlite/fts5.py"],
        ["xapian"] = ["bin/xapian"],
        ["postgres-text"] = ["postgres-text.mjs"],
        ["minisearch"] = ["--max-old-space-size=12000", "minisearch.mjs"],
        ["lancedb-text"] = ["lancedb-text.mjs"],
        ["lancedb-hnsw"] = ["lancedb.mjs", "hnsw"],
        ["lancedb-pq"] = ["lancedb.mjs", "pq"],
        ["chroma"] = ["chroma.mjs"],
        ["pgvector"] = ["pgvector.mjs"],
        ["granary-http"] = ["granary-http.mjs", Path.Combine(AppContext.BaseDirectory, "granary.dll")],
    };

    /// <summary>tests/peers of the repository this program was built in.</summary>
    public static string Folder { get; } = FindFolder();

    /// <summary>The command of a driver, in tests/peers; null, with the reason on the console, when it is not installed.</summary>
    public static ProcessStartInfo? Find(string name)
    {
        if (Own(name) is { } own)
            return new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Granary.Benchmarks.dll"), .. own]);

        if (!Drivers.TryGetValue(name, out var command))
        {
            var known = string.Join(", ", Drivers.Keys);
            throw new ArgumentException($"`{name}` is no peer; there are granary, granary-db, granary-text, granary-text-as-written, "
                + $"granary-text-shuffled, granary-text-shuffled-as-written, {known}");
        }

        var program = command.First(part => !part.StartsWith('-'));
        var script = program.EndsWith(".mjs", StringComparison.Ordinal);
        var file = Path.Combine(Folder, program);
        if (!File.Exists(file) || (script && name != "granary-http" && !Directory.Exists(Path.Combine(Folder, "node_modules"))))
        {
            var remedy = script ? "run `npm install`" : "install its headers and run `make`";
            Console.WriteLine($"{name} is left out: {remedy} in tests/peers");
            return null;
        }

        if (file.EndsWith(".java", StringComparison.Ordinal) && Jars() is var jars)
        {
            if (jars.Length == 0)
                Console.WriteLine($"{name} is left out: install liblucene8-java and a JDK");
            return jars.Length == 0 ? null : new ProcessStartInfo("java", ["-Xms1g", "-cp", string.Join(':', jars), file]);
        }

        if (file.EndsWith(".py", StringComparison.Ordinal))
            return new ProcessStartInfo("python3", [file]);
        var start = script ? new ProcessStartInfo("node", command) : new ProcessStartInfo(file, command[1..]);
        start.WorkingDirectory = Folder;
        start.Environment["RUST_LOG"] = "error";
        start.Environment["LANCEDB_LOG"] = "error";
        return start;
    }

    private static string[]? Own(string name) => name switch
    {
        "granary" => ["granary-peer", "--kind", "field"],
        "granary-db" => ["granary-peer", "--kind", "collection"],
        "granary-text" => ["granary-text-peer"],
        "granary-text-as-written" => ["granary-text-peer", "--order", "0"],
        "granary-text-shuffled" => ["granary-text-peer", "--shuffle", "1"],
        "granary-text-shuffled-as-written" => ["granary-text-peer", "--order", "0", "--shuffle", "1"],
        _ => null,
    };

    private static string[] Jars() => !Directory.Exists("/usr/share/java") ? [] : [
        .. Directory.GetFiles("/usr/share/java", "lucene-core*.jar"),
        .. Directory.GetFiles("/usr/share/java", "lucene-analyzers-common*.jar")];

    private static string FindFolder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var peers = Path.Combine(folder.FullName, "tests", "peers");
            if (File.Exists(Path.Combine(peers, "package.json")))
                return peers;
        }

        throw new DirectoryNotFoundException("tests/peers was not found above the program's folder");
    }
}
