using System.Net;
using System.Net.NetworkInformation;

namespace Granary.Cluster.Tests.Support;

/// <summary>Ports that a process may give up and take again: below those that the system hands out to connections.</summary>
internal static class Ports
{
    private static readonly Lock Gate = new();
    private static int _next = 20_000 + (Environment.ProcessId % 500 * 20);

    /// <summary>One that nobody listens on.</summary>
    public static int Free()
    {
        lock (Gate)
        {
            var taken = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners()
                .Select(static (IPEndPoint e) => e.Port).ToHashSet();
            do
                _next = _next >= 32_000 ? 20_000 : _next + 1;
            while (taken.Contains(_next));
            return _next;
        }
    }
}
