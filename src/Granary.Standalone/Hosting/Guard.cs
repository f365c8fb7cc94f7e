using Granary.Index;

namespace Granary.Standalone.Hosting;

/// <summary>Runs a command of either executable.</summary>
internal static class Guard
{
    /// <summary>What went wrong becomes one line that begins with the program's name, and exit code 1.</summary>
    public static async Task<int> RunAsync(string program, Func<Task<int>> run)
    {
        try
        {
            return await run();
        }
        catch (GranaryException e)
        {
            await Console.Error.WriteLineAsync($"{program}: {e.Message}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            await Console.Error.WriteLineAsync($"{program}: {StartErrors.Describe(e)}");
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync($"{program}: cancelled");
        }

        return 1;
    }
}
