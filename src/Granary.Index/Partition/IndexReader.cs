using System.Collections.Immutable;
using Granary.Index.Filters;
using Granary.Index.Memory;
using Granary.Index.Partition;
using Granary.Index.Search;

namespace Granary.Index;

/// <summary>Which vectors are wanted with a point.</summary>
/// <param name="All">All of them.</param>
/// <param name="Names">Or these.</param>
public sealed record VectorSelector(bool All, IReadOnlyList<string>? Names = null)
{
    /// <summary>None.</summary>
    public static VectorSelector None { get; } = new(false);
}

/// <summary>A value of a facet and how many points hold it.</summary>
public readonly record struct FacetHit(MatchValue Value, long Count);

/// <summary>A consistent view of a partition as of one operation. Thread-safe; dispose it soon.</summary>
public sealed partial class IndexReader : IDisposable
{
    private const int Closed = -1;
    private readonly View _view;
    private readonly EpochClock _epochs;
    private readonly PartitionIndex _index;
    private int _ticket;

    internal IndexReader(View view, EpochClock epochs, int ticket, PartitionIndex index) =>
        (_view, _epochs, _ticket, _index) = (view, epochs, ticket, index);

    /// <summary>The newest operation this reader sees.</summary>
    public long Operation => _view.Operation;

    /// <summary>What it sees.</summary>
    internal View View => _view;

    private FieldSet Fields => _view.Published.Fields;

    /// <summary>Runs a leg.</summary>
    /// <exception cref="GranaryException">The leg names an unknown field or has the wrong dimensions.</exception>
    public LegResult Search(Leg leg, CancellationToken cancellation = default) => Search(leg, null, cancellation);

    /// <summary>Runs a leg and fills an empty list with what it finds, best first. Returns whether larger scores are better.</summary>
    /// <exception cref="GranaryException">The leg names an unknown field or has the wrong dimensions.</exception>
    public bool SearchInto(Leg leg, List<LegHit> hits, CancellationToken cancellation = default)
    {
        var result = Search(leg, hits, cancellation);
        if (!ReferenceEquals(result.Hits, hits))
            hits.AddRange(result.Hits);
        return result.HigherIsBetter;
    }

    private LegResult Search(Leg leg, List<LegHit>? into, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_ticket == Closed, this);
        using var plan = _view.Plan(leg.Filter);
        return Search(leg, plan, into, null, cancellation);
    }

    /// <summary>Runs a leg that is going to be combined with others. Returns whether larger scores are better.</summary>
    internal bool Search(Leg leg, FilterPlan? plan, RankedLeg ranked, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_ticket == Closed, this);
        return Search(leg, plan, null, ranked, cancellation).HigherIsBetter;
    }

    private LegResult Search(Leg leg, FilterPlan? plan, List<LegHit>? into, RankedLeg? ranked, CancellationToken cancellation)
    {
        var search = new LegSearch(_view, leg, plan, into, ranked, cancellation);
        return leg switch
        {
            DenseLeg dense => search.Dense(dense),
            SparseLeg sparse => search.Sparse(sparse),
            TextLeg text => search.Text(text),
            ExampleLeg example => search.Examples(example),
            ScanLeg scan => search.Scan(scan, _index.IdOrder),
            OrderLeg order => search.Order(order),
            SampleLeg sample => search.Sample(sample),
            _ => throw GranaryException.BadInput($"Unknown kind of query {leg.GetType().Name}"),
        };
    }

    /// <summary>Statistics of a text field for the terms of a query.</summary>
    public TextStatistics TextStatistics(string field, string text) =>
        Fields.Find(field) is TextColumn column ? column.Postings.Statistics(text) : throw LegChecks.UnknownVector(field);

    /// <summary>Statistics of a sparse field for a query's dimensions.</summary>
    public SparseStatistics SparseStatistics(string vector, ReadOnlySpan<uint> indices) =>
        Fields.Find(vector) is SparseColumn column ? column.Postings.Statistics(indices) : throw LegChecks.UnknownVector(vector);

    /// <summary>
    /// Whether the point is there, and its data. The payload's bytes must not be kept beyond the reader's life unless copied.
    /// </summary>
    public bool TryGet(PointId id, VectorSelector vectors, out PointData? point) => TryGet(id, vectors, true, out point);

    /// <summary>Whether the point is there, and its data, its payload only where it is wanted.</summary>
    public bool TryGet(PointId id, VectorSelector vectors, bool payload, out PointData? point)
    {
        point = null;
        if (!_view.TryGetSlot(id, out var slot))
            return false;
        var bytes = payload ? _view.Payload(slot).ToArray() : default(ReadOnlyMemory<byte>);
        point = new PointData(id, _view.Slots.BirthOf(slot), bytes, ReadVectors(slot, vectors));
        return true;
    }

    /// <summary>Whether the point is there.</summary>
    public bool Contains(PointId id) => _view.TryGetSlot(id, out _);

    /// <inheritdoc/>
    public void Dispose()
    {
        var ticket = Interlocked.Exchange(ref _ticket, Closed);
        if (ticket != Closed)
            _epochs.Exit(ticket);
    }

    private ImmutableArray<NamedVector> ReadVectors(int slot, VectorSelector selector)
    {
        if (!selector.All && selector.Names is null or { Count: 0 })
            return [];
        var vectors = ImmutableArray.CreateBuilder<NamedVector>();
        foreach (var field in Fields.Vectors)
        {
            var row = field.RowOf(slot);
            if (row >= 0 && (selector.All || selector.Names!.Contains(field.Name)))
            {
                var vector = field.Read(row);
                var computed = (field as DenseColumn)?.Computed.PathOf(slot);
                vectors.Add(computed is null ? vector : vector with { ComputedFrom = computed });
            }
        }

        return vectors.ToImmutable();
    }
}
