using Granary.Collections.Ports;
using Granary.Storage.Conformance;
using Granary.Storage.Files;

namespace Granary.Storage.Tests;

/// <summary>Files with one large segment.</summary>
public class FileConformance : StorageConformance
{
    private readonly string _folder = Directory.CreateTempSubdirectory("granary-storage-").FullName;

    protected virtual FileStorageOptions Options => new();

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    protected override async Task<IStorage> OpenEmptyAsync() => await FileStorage.OpenAsync(Path.Combine(_folder, "data"), Options);

    protected override async Task<IStorage> OpenAgainAsync(IStorage before, bool killed)
    {
        if (killed)
            await ((FileStorage)before).AbandonAsync();
        return await FileStorage.OpenAsync(Path.Combine(_folder, "data"), Options);
    }
}

/// <summary>Files with the smallest segments, so that every test rolls, and a sync with every append.</summary>
public sealed class FileSegmentsConformance : FileConformance
{
    protected override FileStorageOptions Options => new() { SegmentBytes = 4096, Durability = Durability.Disk };
}
