namespace Granary.Standalone.Tests.Crash;

public sealed class AckIsDurableTests
{
    [Fact]
    public async Task AckIsDurable_after_killing_the_server_under_load_all_that_was_acknowledged_is_there_and_nothing_invented()
    {
        using var folder = new TemporaryFolder();
        var rounds = new CrashRounds(folder.Path, seed: 20_260);
        await rounds.RunAsync(5);
        Assert.Empty(rounds.Violations);
        Assert.True(rounds.Acknowledged > 0);
    }
}
