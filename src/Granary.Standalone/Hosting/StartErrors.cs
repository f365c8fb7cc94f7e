namespace Granary.Standalone.Hosting;

/// <summary>Says in one line what kept the program from starting.</summary>
internal static class StartErrors
{
    public static string Describe(Exception error)
    {
        // Kestrel says which address and wraps the reason, the address being in use mostly.
        var inner = error.InnerException is { } reason && !error.Message.Contains(reason.Message, StringComparison.OrdinalIgnoreCase)
            ? $" {reason.Message}" : "";
        return string.Join(' ', $"{error.Message}{inner}".Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
    }
}
