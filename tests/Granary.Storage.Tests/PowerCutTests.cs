using Granary.Collections.Ports;
using Granary.Storage.Tests.Simulation;
using Xunit.Abstractions;

namespace Granary.Storage.Tests;

public sealed class PowerCutTests(ITestOutputHelper output)
{
    /// <summary>The disk drops whatever was not synced.</summary>
    [Fact]
    public Task DurabilityDisk_survives_power_cuts() => CutAsync(Durability.Disk, partial: false);

    /// <summary>The disk keeps any part of what was not synced: some sectors of a write, some of the renames.</summary>
    [Fact]
    public Task DurabilityDisk_survives_power_cuts_that_keep_some_of_what_was_not_synced() => CutAsync(Durability.Disk, partial: true);

    /// <summary>
    /// With <see cref="Durability.Process"/> a cut may take the newest operations, but what was synced stays and every start succeeds.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task DurabilityProcess_loses_only_the_unsynced_end_in_power_cuts(bool partial) => CutAsync(Durability.Process, partial);

    private async Task CutAsync(Durability durability, bool partial)
    {
        const int Histories = 100;
        const int Cuts = 10;
        var (acknowledged, interrupted) = (0L, 0);
        for (var seed = 1; seed <= Histories; seed++)
        {
            var history = new PowerCutHistory(seed, durability, partial);
            for (var cut = 0; cut < Cuts; cut++)
                await history.CutAsync();
            acknowledged += history.Acknowledged;
            interrupted += history.Interrupted;
        }

        output.WriteLine($"{Histories * Cuts} cuts, {interrupted} amid a write, {acknowledged} operations acknowledged, none lost that "
            + "may not be");
        Assert.True(interrupted > Histories, $"only {interrupted} cuts came amid a write: the test tests little");
    }
}
