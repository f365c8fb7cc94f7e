using Granary.Index.Fusion;

namespace Granary.Index.Tests.Fusion;

public sealed class OrderStatisticTests
{
    [Fact]
    public void EveryPlaceIsThatOfTheSortedNumbers()
    {
        var random = new Random(12);
        for (var round = 0; round < 400; round++)
        {
            var values = new float[random.Next(1, 140)];
            for (var i = 0; i < values.Length; i++)
                values[i] = Value(random, round);
            var sorted = values.OrderDescending().ToArray();
            var keys = new int[OrderStatistic.Room(values.Length)];
            for (var n = 1; n <= values.Length; n++)
                Assert.Equal(sorted[n - 1], OrderStatistic.Largest(values, n, keys));
        }
    }

    [Fact]
    public void APlaceThatIsNotThereIsRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => OrderStatistic.Largest([1f], 0, new int[8]));
        Assert.Throws<ArgumentOutOfRangeException>(() => OrderStatistic.Largest([1f], 2, new int[8]));
    }

    private static float Value(Random random, int round) => (round % 5) switch
    {
        0 => random.NextSingle(),
        1 => (random.NextSingle() - 0.5f) * 1e30f,
        2 => random.Next(-2, 3),
        3 => Number(random.Next(int.MinValue, int.MaxValue)),
        _ => random.Next(3) switch { 0 => float.Epsilon, 1 => -0f, _ => float.MaxValue },
    };

    private static float Number(int bits) =>
        BitConverter.Int32BitsToSingle(bits) is var any && float.IsNaN(any) ? float.NegativeInfinity : any;
}
