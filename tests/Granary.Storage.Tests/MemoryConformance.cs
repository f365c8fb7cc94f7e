using Granary.Collections.Ports;
using Granary.Storage.Conformance;
using Granary.Storage.Memory;

namespace Granary.Storage.Tests;

public sealed class MemoryConformance : StorageConformance
{
    protected override Task<IStorage> OpenEmptyAsync() => Task.FromResult<IStorage>(new MemoryStorage());

    protected override Task<IStorage> OpenAgainAsync(IStorage before, bool killed) =>
        Task.FromResult<IStorage>(((MemoryStorage)before).Reopen());
}
