using Orleans.Streams;

namespace Granary.Grains.Tests.Support;

/// <summary>A stream provider that loses, repeats, holds back and reorders what is published, as a seed says.</summary>
/// <param name="inner">What carries the rest.</param>
/// <param name="seed">The seed.</param>
internal sealed class FaultyStreams(IStreamProvider inner, int seed) : IStreamProvider
{
    private int _streams;

    public string Name => inner.Name;

    public bool IsRewindable => inner.IsRewindable;

    public IAsyncStream<T> GetStream<T>(StreamId streamId) =>
        new FaultyStream<T>(inner.GetStream<T>(streamId), new Random(seed + Interlocked.Increment(ref _streams)));

    private sealed class FaultyStream<T>(IAsyncStream<T> stream, Random random) : IAsyncStream<T>
    {
        private readonly List<T> _held = [];

        public bool IsRewindable => stream.IsRewindable;

        public string ProviderName => stream.ProviderName;

        public StreamId StreamId => stream.StreamId;

        // One publisher a stream: calls do not overlap.
        public async Task OnNextAsync(T item, StreamSequenceToken? token = null)
        {
            switch (random.Next(4))
            {
                case 0:
                    return;
                case 1:
                    await stream.OnNextAsync(item, token);
                    await stream.OnNextAsync(item, token);
                    return;
                case 2:
                    _held.Add(item);
                    return;
                default:
                    await stream.OnNextAsync(item, token);
                    // Late and in the wrong order.
                    for (var i = _held.Count - 1; i >= 0; i--)
                        await stream.OnNextAsync(_held[i]);
                    _held.Clear();
                    return;
            }
        }

        public Task OnNextBatchAsync(IEnumerable<T> batch, StreamSequenceToken? token = null) => stream.OnNextBatchAsync(batch, token);

        public Task OnErrorAsync(Exception ex) => stream.OnErrorAsync(ex);

        public Task<IList<StreamSubscriptionHandle<T>>> GetAllSubscriptionHandles() => stream.GetAllSubscriptionHandles();

        public Task<StreamSubscriptionHandle<T>> SubscribeAsync(IAsyncObserver<T> observer) => stream.SubscribeAsync(observer);

        public Task<StreamSubscriptionHandle<T>> SubscribeAsync(
            IAsyncObserver<T> observer, StreamSequenceToken? token, string? filterData = null) =>
            stream.SubscribeAsync(observer, token, filterData);

        public Task<StreamSubscriptionHandle<T>> SubscribeAsync(IAsyncBatchObserver<T> observer) => stream.SubscribeAsync(observer);

        public Task<StreamSubscriptionHandle<T>> SubscribeAsync(IAsyncBatchObserver<T> observer, StreamSequenceToken? token) =>
            stream.SubscribeAsync(observer, token);

        public bool Equals(IAsyncStream<T>? other) => stream.Equals(other);

        public int CompareTo(IAsyncStream<T>? other) => stream.CompareTo(other);

        public override bool Equals(object? obj) => obj is IAsyncStream<T> other && Equals(other);

        public override int GetHashCode() => stream.StreamId.GetHashCode();
    }
}
