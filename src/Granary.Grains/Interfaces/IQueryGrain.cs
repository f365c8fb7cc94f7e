using Orleans.Concurrency;

namespace Granary.Grains.Interfaces;

/// <summary>
/// Fans queries out over the partitions and fuses the answers, key: the collection's name. A stateless worker: it runs on the silo that got
/// the request.
/// </summary>
[Alias("granary.IQueryGrain")]
public interface IQueryGrain : IGrainWithStringKey
{
    /// <summary>Answers a read; how long it may take is the read's own to say.</summary>
    [AlwaysInterleave, ResponseTimeout("06:00:00"), Alias("Read")]
    Task<Reply<ReadAnswer>> ReadAsync(ReadWork work);
}

/// <summary>A read as the silo that got it parsed it. It never leaves that silo, so it is handed over as it is.</summary>
[GenerateSerializer, Immutable, Alias("granary.read-work")]
public sealed class ReadWork
{
    [NonSerialized]
    private readonly Func<Granary.Collections.ICollection, CancellationToken, ValueTask<object?>>? _run;

    [NonSerialized]
    private readonly CancellationToken _cancellation;

    /// <summary>Made by another process: it has nothing to run.</summary>
    public ReadWork()
    {
    }

    /// <summary>Runs this over the collection.</summary>
    /// <param name="run">The read.</param>
    /// <param name="cancellation">Ends it; within the silo it need not be sent.</param>
    public ReadWork(Func<Granary.Collections.ICollection, CancellationToken, ValueTask<object?>> run, CancellationToken cancellation) =>
        (_run, _cancellation) = (run, cancellation);

    /// <summary>Ends the read.</summary>
    public CancellationToken Cancellation => _cancellation;

    /// <summary>What the wire would carry: nothing.</summary>
    [Id(0)]
    public byte Nothing { get; init; }

    /// <summary>Runs it.</summary>
    /// <exception cref="InvalidOperationException">The object came from another silo.</exception>
    public ValueTask<object?> RunAsync(Granary.Collections.ICollection collection) =>
        _run is null ? throw new InvalidOperationException("A read does not leave the silo that got it.") : _run(collection, _cancellation);
}

/// <summary>The answer of a read, handed over as it is.</summary>
[GenerateSerializer, Immutable, Alias("granary.read-answer")]
public sealed class ReadAnswer
{
    [NonSerialized]
    private readonly object? _value;

    /// <summary>Made by another process: it has no value.</summary>
    public ReadAnswer()
    {
    }

    /// <summary>With this value.</summary>
    public ReadAnswer(object? value) => _value = value;

    /// <summary>What the wire would carry: nothing.</summary>
    [Id(0)]
    public byte Nothing { get; init; }

    /// <summary>The value.</summary>
    public object? Of() => _value;
}
