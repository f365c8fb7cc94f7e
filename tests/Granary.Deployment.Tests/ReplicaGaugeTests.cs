using System.Diagnostics.Metrics;
using Granary.Collections;
using Granary.Collections.Diagnostics;
using Granary.Collections.Partitions;
using Granary.Collections.Ports;
using Granary.Index;
using Granary.Storage.Memory;

namespace Granary.Deployment.Tests;

/// <summary>What the alert on replicas without a lease goes by. No other test of this process hosts replicas.</summary>
public class ReplicaGaugeTests
{
    [Fact]
    public async Task A_replica_counts_as_hosted_until_it_is_closed_and_as_serving_once_it_holds_its_lease()
    {
        Assert.Equal((0, 0), Read());
        await using var storage = new MemoryStorage();
        var key = new PartitionKey(Guid.NewGuid(), 0);
        await using var log = await storage.OpenLogAsync(key, CancellationToken.None);
        var store = new Leases();
        await using var leases = new ReplicaLeases(store, TimeProvider.System, TimeSpan.FromMinutes(10));
        await using (var replica = PartitionReplica.Start(new ReplicaOptions
        {
            Storage = storage,
            Key = key,
            Replica = 0,
            InitialSchema = new IndexSchema { Dense = [new DenseVectorSchema("", 2, Distance.Dot)] },
            Config = new CollectionConfig { Schema = new IndexSchema { Dense = [new DenseVectorSchema("", 2, Distance.Dot)] } },
            Leader = new Leader(),
            Leases = leases,
        }))
        {
            await store.Asked.Task;
            Assert.Equal((1, 0), Read());
            store.Given = true;
            await replica.WaitServingAsync(CancellationToken.None);
            Assert.Equal((1, 1), Read());
        }

        Assert.Equal((0, 0), Read());
    }

    private static (int Hosted, int Serving) Read()
    {
        var values = new Dictionary<string, int>();
        using var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (ReferenceEquals(instrument.Meter, Telemetry.Meter) && instrument.IsObservable)
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<int>((instrument, value, _, _) => values[instrument.Name] = value);
        listener.Start();
        listener.RecordObservableInstruments();
        return (values["granary.replicas.hosted"], values["granary.replicas.serving"]);
    }

    /// <summary>Gives leases once it is told to.</summary>
    private sealed class Leases : ILeaseStore
    {
        public TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public volatile bool Given;

        public ValueTask<IReadOnlyList<long>> RenewAsync(
            IReadOnlyList<LeaseRequest> requests, TimeSpan duration, CancellationToken cancellation)
        {
            Asked.TrySetResult();
            return new([.. requests.Select(_ => Given ? 1L : 0L)]);
        }

        public ValueTask<IReadOnlyList<LeaseHolder>> HoldersAsync(PartitionKey partition, CancellationToken cancellation) => new([]);

        public ValueTask ReleaseAsync(IReadOnlyList<LeaseRequest> requests, CancellationToken cancellation) => default;
    }

    /// <summary>Hears how far the replica is; nothing is written here.</summary>
    private sealed class Leader : ILeaderPort
    {
        public ValueTask<long> WriteAsync(
            Guid batch, bool retry, ReadOnlyMemory<byte> operations, int count, TimeSpan? admission, CancellationToken cancellation) =>
            throw new InvalidOperationException();

        public ValueTask<Reservation> ReserveAsync(int count, TimeSpan admission, CancellationToken cancellation) =>
            throw new InvalidOperationException();

        public ValueTask ReleaseAsync(Reservation reservation, CancellationToken cancellation) => default;

        public ValueTask<long> WriteReservedAsync(Guid batch, bool retry, Reservation reservation, ReadOnlyMemory<byte> operations,
            CancellationToken cancellation) => throw new InvalidOperationException();

        public ValueTask<LeaderState> StateAsync(CancellationToken cancellation) => new(new LeaderState(0, 0, 0, null));

        public ValueTask TruncateAsync(long beforeOperation, CancellationToken cancellation) => default;

        public ValueTask ReportAsync(ReplicaProgress progress, CancellationToken cancellation) => default;
    }
}
