using Granary.Index.Memory;

namespace Granary.Index.Vectors;

internal sealed unsafe class Graph(int m) : IDisposable
{
    private readonly RowArena _links = new(m * 2 * sizeof(int));

    public long Bytes => _links.Bytes;

    public void AddRow(int row) => _links.Ensure(row);

    public void Dispose() => _links.Dispose();
}
