using Granary.Collections.Ports;
using Granary.Storage.Conformance;
using Granary.Storage.Sqlite;

namespace Granary.Storage.Tests;

/// <summary>SQLite, acknowledged once the operating system has the bytes.</summary>
public class SqliteConformance : StorageConformance
{
    private readonly string _folder = Directory.CreateTempSubdirectory("granary-storage-").FullName;
    private readonly List<IStorage> _abandoned = [];
    private string _path;

    public SqliteConformance() => _path = Path.Combine(_folder, "granary.db");

    protected virtual SqliteStorageOptions Options => new();

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        foreach (var storage in _abandoned)
            await storage.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    protected override async Task<IStorage> OpenEmptyAsync() => await SqliteStorage.OpenAsync(_path, Options);

    /// <summary>What a killed process leaves is what the files hold at that moment: a copy of them is opened.</summary>
    protected override async Task<IStorage> OpenAgainAsync(IStorage before, bool killed)
    {
        if (killed)
        {
            _abandoned.Add(before);
            var copy = Path.Combine(_folder, $"killed{_abandoned.Count}.db");
            File.Copy(_path, copy);
            File.Copy(_path + "-wal", copy + "-wal");
            _path = copy;
        }

        return await SqliteStorage.OpenAsync(_path, Options);
    }
}

/// <summary>SQLite with a sync at every commit and small chunks.</summary>
public sealed class SqliteDiskConformance : SqliteConformance
{
    protected override SqliteStorageOptions Options => new() { Durability = Durability.Disk, ChunkBytes = 4096 };
}
