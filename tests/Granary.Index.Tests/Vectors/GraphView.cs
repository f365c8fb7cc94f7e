using System.Runtime.CompilerServices;
using Granary.Index.Vectors;

namespace Granary.Index.Tests.Vectors;

/// <summary>What a field's graph looks like from outside, while nothing changes it.</summary>
internal static unsafe class GraphView
{
    /// <summary>Rows with a slot that cannot be reached on level 0 from the entry.</summary>
    public static int Lost(DenseField field)
    {
        var graph = GraphOf(field)!;
        var reached = new bool[field.RowCapacity];
        var waiting = new Stack<int>();
        if (graph.Entry >= 0)
            Meet(Graph.EntryRow(graph.Entry));
        while (waiting.TryPop(out var row))
        {
            foreach (var id in Links(graph, row, 0))
                Meet(id);
        }

        return Enumerable.Range(0, field.RowCapacity).Count(row => !reached[row] && field.SlotOf(row) >= 0);

        void Meet(int row)
        {
            if (!reached[row])
                waiting.Push(row);
            reached[row] = true;
        }
    }

    /// <summary>Checks that no list holds a row twice, none a row of a lower level, and none one that is free.</summary>
    public static void CheckLists(DenseField field)
    {
        var graph = GraphOf(field)!;
        for (var row = 0; row < field.RowCapacity; row++)
        {
            if (graph.State(row) != RowState.Linked)
                continue;
            for (var level = 0; level <= graph.Level(row); level++)
            {
                var links = Links(graph, row, level);
                Assert.Equal(links.Length, links.Distinct().Count());
                Assert.All(links, id =>
                {
                    Assert.NotEqual(row, id);
                    Assert.True(graph.Level(id) >= level);
                    Assert.Equal(RowState.Linked, graph.State(id));
                });
            }
        }
    }

    /// <summary>Empties all lists of level 0.</summary>
    public static void ForgetLinks(DenseField field)
    {
        var graph = GraphOf(field)!;
        for (var row = 0; row < field.RowCapacity; row++)
            graph.Write(row, 0, [], 0);
    }

    /// <summary>Rows that the graph counts, and those that are in it.</summary>
    public static (int Counted, int There) Linked(DenseField field) =>
        (InGraphOf(field), Enumerable.Range(0, field.RowCapacity).Count(row => GraphOf(field)!.State(row) == RowState.Linked));

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_graph")]
    public static extern ref Graph? GraphOf(DenseField field);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_inGraph")]
    private static extern ref int InGraphOf(DenseField field);

    private static int[] Links(Graph graph, int row, int level) =>
        [.. new ReadOnlySpan<int>(graph.Links(row, level), graph.Width(level)).ToArray().Where(id => id >= 0)];
}
