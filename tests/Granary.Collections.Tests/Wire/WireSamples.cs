using System.Collections.Immutable;
using System.Globalization;
using Granary.Collections.Partitions;
using Granary.Collections.Searching;
using Granary.Collections.Wire;
using Granary.Index;
using Granary.Index.Filters;
using Granary.Index.Search;
using Granary.Index.Text;

namespace Granary.Collections.Tests.Wire;

/// <summary>Random values of everything that goes over the wire. Every kind of leg and of condition has its line here.</summary>
internal sealed class WireSamples(Random random)
{
    private static readonly string[] Texts =
        ["", "a", "vector", "city[].name", "Grüße, 世界 🙂", "half \ud800 pair", "\udc00", "with \0 zero", new string('x', 300)];

    private static readonly string[] Paths = ["a", "a.b", "a[].b", "a[0]", "\"quoted key\".c"];

    private static readonly double[] Doubles =
        [0, -0.0, 1, -1.5, double.NaN, double.PositiveInfinity, double.NegativeInfinity, double.Epsilon, double.MaxValue, Math.PI];

    private static readonly long[] Longs =
        [0, 1, -1, 63, 64, -64, -65, 127, 128, int.MaxValue, int.MinValue, 1L << 53, (1L << 53) + 1, long.MaxValue, long.MinValue];

    private static readonly PointId[] Ids =
    [
        default, new(0UL), new(1UL), new(127UL), new(128UL), new(ulong.MaxValue), new(Guid.Empty),
        new(Guid.Parse("9f1c2d3e-0000-4000-8000-00000000000a")), new(Guid.AllBitsSet),
    ];

    public Func<Leg>[] Legs =>
    [
        () => new DenseLeg(Text(), Floats()) { Rows = Int(), Ef = Maybe(Int), Exact = Flag(), IndexedOnly = Flag() },
        () => new SparseLeg(Text(), [.. UInts()], [.. Floats()]) { Statistics = MaybeNull(SparseStatistics) },
        () => new TextLeg(Text(), Text())
        {
            Statistics = MaybeNull(TextStatistics), Known = MaybeNull(Known), EveryTerm = Flag(),
            Floor = MaybeNull(() => ScoreFloor.At(random.NextSingle(), Int(), Int())),
        },
        () => new ScanLeg { From = Maybe(Id) },
        () => new OrderLeg(Text(), Flag()) { StartFrom = Maybe(Order) },
        () => new SampleLeg((ulong)Long()),
        () => new ExampleLeg(Text(), Enum<ExampleStrategy>())
        {
            Target = MaybeNull(Example), Positive = [.. Some(Example)], Negative = [.. Some(Example)],
            Statistics = MaybeNull(SparseStatistics),
        },
    ];

    private string Name() => Texts[random.Next(4)];

    public IndexSchema Schema() => new()
    {
        Dense =
        [
            .. Some(() => new DenseVectorSchema(Name(), random.Next(1, 65_536), Enum<Distance>())
            {
                Hnsw = new HnswSettings { M = Int(), EfConstruct = Int(), Ef = Int(), FullScanThreshold = Int() },
                Storage = Enum<VectorStorage>(),
                OnDisk = Flag(),
                MultiVector = Flag(),
            }),
        ],
        Sparse = [.. Some(() => new SparseVectorSchema(Name(), Flag()))],
        Text =
        [
            .. Some(() => new TextFieldSchema(Name(), Name())
            {
                K1 = random.NextSingle(), B = random.NextSingle(), Analyzer = Analyzer(),
            }),
        ],
        PayloadIndexes =
        [
            .. Some(() => new PayloadIndexSchema(Name(), Enum<PayloadIndexType>())
            {
                Analyzer = MaybeNull(Analyzer), Phrase = Flag(), Lookup = Flag(), Range = Flag(), Parameters = MaybeNull(Name),
            }),
        ],
    };

    private AnalyzerSettings Analyzer() => new()
    {
        Tokenizer = Name(),
        Language = Name(),
        Lowercase = Flag(),
        AsciiFolding = Flag(),
        Stem = Flag(),
        StemmerLanguage = MaybeNull(Name),
        StopWords = Flag() ? [.. Some(Name)] : null,
        MinTokenLength = Maybe(Int),
        MaxTokenLength = Maybe(Int),
        Version = Int(),
    };

    public Func<int, Condition>[] Conditions =>
    [
        depth => new FilterCondition(Filter(depth - 1)),
        _ => new MatchAnyCondition(Text(), [.. Some(Match)]),
        _ => new MatchExceptCondition(Text(), [.. Some(Match)]),
        _ => new MatchTextCondition(Text(), Text(), Enum<TextMatchMode>()),
        _ => new RangeCondition(Text(), Maybe(Double), Maybe(Double), Maybe(Double), Maybe(Double)),
        _ => new DatetimeRangeCondition(Text(), Maybe(Instant), Maybe(Instant), Maybe(Instant), Maybe(Instant)),
        _ => new GeoBoundingBoxCondition(Text(), Place(), Place()),
        _ => new GeoRadiusCondition(Text(), Place(), Double()),
        _ => new GeoPolygonCondition(Text(), [.. Some(Place)], [.. Some(() => Some(Place).ToImmutableArray())]),
        _ => new ValuesCountCondition(Text(), Maybe(Int), Maybe(Int), Maybe(Int), Maybe(Int)),
        _ => new IsEmptyCondition(Text()),
        _ => new IsNullCondition(Text()),
        _ => new HasIdCondition([.. Some(Id)]),
        _ => new HasVectorCondition(Text()),
        depth => new NestedCondition(Text(), Filter(depth - 1)),
        _ => new SliceCondition(Int(), Int()),
    ];

    public Leg Leg() => Pick(Legs)() with
    {
        Filter = MaybeNull(() => Filter(3)),
        Limit = Int(),
        ScoreThreshold = Maybe(Float),
        Candidates = MaybeNull(() => Some(Id)),
    };

    public Filter Filter(int depth) => depth <= 0 ? new Filter() : new Filter
    {
        Must = SomeConditions(depth),
        Should = SomeConditions(depth),
        MustNot = SomeConditions(depth),
        MinShould = MaybeNull(() => new MinShould(SomeConditions(depth), Int())),
    };

    public PartitionRequest Request() => new(Some(Leg), Read())
    {
        Fetch = MaybeNull(Selection),
        Points = MaybeNull(() => Some(Id)),
        Cross = MaybeNull(() => new CrossScoring([.. Some(Int)], [.. Some(Float)], Int())),
    };

    public PartitionAnswer Answer() => new(
        Some(() => new LegResult(Some(Hit), Flag()) { Outdated = Flag(), Floor = Maybe(Float) }), MaybeNull(() => Some(Point)))
    {
        Statistics = MaybeNull(StatisticsAnswer),
        Cross = MaybeNull(Cross),
    };

    private CrossScores Cross()
    {
        var ids = Some(Id);
        return new CrossScores(ids, Some(() => ids.Select(_ => Float()).ToArray()), Some(Point));
    }

    private KnownCounts Known() => new([.. Some(Text)], Counts(), Counts());

    private TermCounts Counts() => new(Long(), Long(), [.. Some(Long)]);

    public StatisticsRequest StatisticsRequest() => new(
        [.. Some(() => (Text(), Text()))], [.. Some(() => (Text(), UInts().ToImmutableArray()))]);

    public StatisticsAnswer StatisticsAnswer() => new([.. Some(TextStatistics)], [.. Some(SparseStatistics)]);

    public PointSelection Selection() => new(
        new PayloadSelector(Flag(), [.. Some(() => Pick(Paths))], [.. Some(() => Pick(Paths))]),
        new VectorSelector(Flag(), MaybeNull(() => Some(Text))));

    public PointId[] IdList() => Some(Id);

    public PointRecord[] Points() => Some(Point);

    public FacetHit[] Facets() => Some(() => new FacetHit(Match(), Long()));

    public ReadOptions Read() => new() { MinOperation = Maybe(Long), Strong = Flag(), Timeout = Maybe(Span) };

    public PartitionStatus Status() => new()
    {
        Number = Int(),
        Logged = Long(),
        Applied = Long(),
        Linked = Long(),
        Checkpointed = Long(),
        Capacity = Int(),
        LagMilliseconds = Double(),
        Points = Long(),
        Vectors = Long(),
        IndexedVectors = Long(),
        LogBytes = Long(),
        IndexBytes = Long(),
        Failed = Long(),
        Fault = MaybeNull(Text),
        RecoveryNote = MaybeNull(Text),
    };

    public PhaseTiming[] Timings() => Some(() => new PhaseTiming(Text(), Long(), Double(), Double(), Double(), Double()));

    public FailedOperation[] Failures() => Some(Failure);

    public GranaryException Error() => new(Enum<ErrorKind>(), Text()) { RetryAfter = Maybe(Span) };

    public StatisticsCall StatisticsCall() => new(StatisticsRequest(), Read());

    public FetchCall FetchCall() => new(IdList(), Selection(), Read());

    public CountCall CountCall() => new(MaybeNull(() => Filter(2)), Flag(), Read());

    public FacetCall FacetCall() => new(Text(), MaybeNull(() => Filter(2)), Int(), Flag(), Read());

    public PartitionReport Report() => new(Status())
    {
        PayloadIndexPoints = Some(Text).Distinct().ToImmutableDictionary(p => p, _ => Long()),
        Failures = [.. Failures()],
        Recovering = Flag(),
        CheckpointError = MaybeNull(Text),
        EmbeddingQueue = Long(),
        EmbeddingFailures = Long(),
        Timings = [.. Timings()],
    };

    public WaitResult Wait() => new(Flag(), MaybeNull(Failure));

    public long Long() => random.Next(3) == 0 ? random.NextInt64() : Pick(Longs);

    private FailedOperation Failure() => new(Int(), Long(), MaybeNull(Text), Text(), Instant());

    private PointRecord Point() => new(Id(), Long())
    {
        Payload = Maybe<ReadOnlyMemory<byte>>(Bytes),
        Vectors = Maybe(() => Some(Vector).ToImmutableArray()),
        Order = Maybe(Order),
    };

    private NamedVector Vector() => new(Text(), Floats(), Int(), MaybeNull(UInts)) { ComputedFrom = MaybeNull(Text) };

    private LegHit Hit() => new(Id(), Float()) { Order = Maybe(Order) };

    private OrderValue Order() => random.Next(3) switch
    {
        0 => new OrderValue(Double(), 0, false),
        1 => Long() is var value ? new OrderValue(value, value, true) : default,
        _ => new OrderValue(Double(), Long(), Flag()),
    };

    private ExampleVector Example() => new(Floats(), Int(), UInts());

    private TextStatistics TextStatistics() =>
        new(Long(), Long(), Some(Text).Distinct().ToImmutableDictionary(t => t, _ => Long()));

    private SparseStatistics SparseStatistics() =>
        new(Long(), UInts().Distinct().ToImmutableDictionary(d => d, _ => Long()));

    private MatchValue Match() => random.Next(3) switch
    {
        0 => MatchValue.Of(Text()),
        1 => MatchValue.Of(Long()),
        _ => MatchValue.Of(Flag()),
    };

    private GeoPoint Place() => new(Double(), Double());

    private ImmutableArray<Condition> SomeConditions(int depth) => [.. Some(() => Pick(Conditions)(depth))];

    private T[] Some<T>(Func<T> make) => [.. Enumerable.Range(0, random.Next(4)).Select(_ => make())];

    private T? Maybe<T>(Func<T> make) where T : struct => Flag() ? make() : null;

    private T? MaybeNull<T>(Func<T> make) where T : class => Flag() ? make() : null;

    private T Pick<T>(IReadOnlyList<T> values) => values[random.Next(values.Count)];

    private T Enum<T>() where T : struct, Enum => Pick(System.Enum.GetValues<T>());

    private bool Flag() => random.Next(2) == 0;

    private int Int() => random.Next(3) == 0 ? Pick([0, 1, -1, int.MinValue, int.MaxValue]) : random.Next(-300, 300);

    private double Double() => random.Next(2) == 0 ? Pick(Doubles) : random.NextDouble() * 360 - 180;

    private float Float() => (float)Double();

    private PointId Id() => random.Next(3) == 0 ? new PointId((ulong)random.NextInt64()) : Pick(Ids);

    private TimeSpan Span() => new(Long());

    private DateTimeOffset Instant() => random.Next(8) switch
    {
        0 => DateTimeOffset.MinValue,
        1 => DateTimeOffset.MaxValue,
        _ => new DateTimeOffset(random.NextInt64(TimeSpan.TicksPerDay, DateTime.MaxValue.Ticks - TimeSpan.TicksPerDay),
            TimeSpan.FromMinutes(random.Next(-14 * 60, 14 * 60 + 1))),
    };

    private ReadOnlyMemory<byte> Bytes()
    {
        var bytes = new byte[random.Next(60)];
        random.NextBytes(bytes);
        return bytes;
    }

    private float[] Floats() => [.. Enumerable.Range(0, random.Next(9)).Select(_ => Float())];

    private uint[] UInts() => [.. Enumerable.Range(0, random.Next(9)).Select(_ => (uint)random.NextInt64(1L << 32))];

    private string Text() => random.Next(4) == 0 ? random.Next().ToString(CultureInfo.InvariantCulture) : Pick(Texts);
}
