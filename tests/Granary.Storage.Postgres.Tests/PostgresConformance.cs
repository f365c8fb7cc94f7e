using Granary.Collections.Ports;
using Granary.Storage.Conformance;

namespace Granary.Storage.Postgres.Tests;

/// <summary>A database of its own for every test.</summary>
public class PostgresConformance : StorageConformance
{
    private readonly string _cache = Directory.CreateTempSubdirectory("granary-cache-").FullName;
    private readonly List<IStorage> _abandoned = [];
    private string _address = "";

    protected virtual PostgresStorageOptions Options => new();

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        foreach (var storage in _abandoned)
            await storage.DisposeAsync();
        Directory.Delete(_cache, recursive: true);
    }

    protected override async Task<IStorage> OpenEmptyAsync()
    {
        _address = await SharedServer.CreateDatabaseAsync();
        return await OpenAsync();
    }

    /// <summary>A killed process leaves its connections to the database, and nothing else.</summary>
    protected override async Task<IStorage> OpenAgainAsync(IStorage before, bool killed)
    {
        if (killed)
            _abandoned.Add(before);
        return await OpenAsync();
    }

    private async Task<IStorage> OpenAsync() => await PostgresStorage.OpenAsync(_address, Options with { CacheFolder = _cache });
}

/// <summary>With small chunks, and commits that wait for standbys.</summary>
public sealed class PostgresDiskConformance : PostgresConformance
{
    protected override PostgresStorageOptions Options => new() { Durability = Durability.Disk, ChunkBytes = 4096 };
}
