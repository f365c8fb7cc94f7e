using Granary.Index;

namespace Granary.Grains.Calls;

/// <summary>What Orleans throws when a call did not arrive or was not answered, as the engine's own error.</summary>
internal static class Faults
{
    /// <summary>Whether another try, or another replica, may do better.</summary>
    public static bool IsTransport(Exception e) =>
        e is OrleansException or TimeoutException or ObjectDisposedException or InvalidOperationException;

    /// <summary>The engine's error.</summary>
    public static GranaryException Unavailable(string what, Exception e) =>
        new(ErrorKind.Unavailable, $"{what} could not be reached: {e.Message}", e);

    /// <summary>Makes a call; what Orleans throws becomes <see cref="ErrorKind.Unavailable"/>.</summary>
    public static async ValueTask<T> CallAsync<T>(string what, Func<Task<Interfaces.Reply<T>>> call)
    {
        Interfaces.Reply<T> reply;
        try
        {
            reply = await call().ConfigureAwait(false);
        }
        catch (Exception e) when (IsTransport(e))
        {
            throw Unavailable(what, e);
        }

        return reply.Unwrap();
    }
}
