using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Threading.Channels;
using Granary.Collections.Diagnostics;
using Granary.Index;
using Granary.Index.Operations;
using Granary.Index.Payload;

namespace Granary.Collections.Embedding;

/// <summary>
/// Computes vectors of points that have a text and lack its vector, in the background, and logs what it computed. It keeps no
/// state of its own: the queue is bounded, and what does not go into it, or was left at a restart, is found again by looking for points
/// that still lack a vector.
/// </summary>
public sealed partial class EmbeddingPipeline : IAsyncDisposable
{
    /// <summary>So many texts are kept in the queue.</summary>
    public const int DefaultCapacity = 16_384;

    private const int KeptFailures = 100;
    private readonly TextEmbedder _embedder;
    private readonly PhaseHistogram _timing;
    private readonly TimeProvider _time;
    private readonly int _capacity;
    private readonly Channel<Job> _jobs;
    private readonly ConcurrentQueue<FailedOperation> _failures = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task[] _workers;
    private ImmutableArray<IEmbeddingTarget> _targets = [];
    private ImmutableArray<EmbeddingRule> _rules;
    private IndexSchema _schema;
    private Task _looking = Task.CompletedTask;
    private readonly ConcurrentDictionary<int, long> _failed = [];

    /// <summary>Starts with these rules; <see cref="Start"/> names the partitions.</summary>
    public EmbeddingPipeline(
        CollectionConfig config, TextEmbedder embedder, PhaseHistogram timing, TimeProvider time, int capacity = DefaultCapacity)
    {
        _capacity = capacity;
        _jobs = Channel.CreateBounded<Job>(capacity);
        (_embedder, _timing, _time) = (embedder, timing, time);
        (_rules, _schema) = (config.Embeddings, config.Schema);
        _workers = new Task[embedder.Concurrency];
        Array.Fill(_workers, Task.CompletedTask);
    }

    /// <summary>Texts of a partition that could not be embedded since the start.</summary>
    public long FailedOf(int partition) => _failed.GetValueOrDefault(partition);

    /// <summary>The newest of them, oldest first.</summary>
    public IReadOnlyCollection<FailedOperation> Failures => _failures;

    /// <summary>Begins work, first finding what an earlier run left over.</summary>
    public void Start(ImmutableArray<IEmbeddingTarget> targets)
    {
        _targets = targets;
        for (var i = 0; i < _workers.Length; i++)
            _workers[i] = Task.Run(WorkAsync, CancellationToken.None);
        _looking = Task.Run(LookAsync, CancellationToken.None);
        RequestLookups();
    }

    /// <summary>Uses other rules from now on, and looks for points that they ask something of.</summary>
    public void Change(CollectionConfig config)
    {
        var same = _rules.SequenceEqual(config.Embeddings);
        (_rules, _schema) = (config.Embeddings, config.Schema);
        if (!same)
            RequestLookups();
    }

    /// <summary>
    /// Queues a point whose text is to be embedded. Never waits: where the queue is full the partition is looked through later.
    /// </summary>
    public void Enqueue(int partition, long operation, PointId id)
    {
        if (_jobs.Reader.Count >= _capacity)
        {
            RequestLookup(partition, operation);
            return;
        }

        var job = new Job(partition, operation, id);
        Begin(job);
        if (_jobs.Writer.TryWrite(job))
            return;
        // First, so that nobody who waits for the operation is let go in between.
        RequestLookup(partition, operation);
        End(job);
    }

    /// <summary>Stops at once; what is left is found again at the next start.</summary>
    public async ValueTask DisposeAsync()
    {
        _jobs.Writer.TryComplete();
        await _stopping.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll([.. _workers, _looking]).ConfigureAwait(false);
        EndAll();
        _stopping.Dispose();
    }

    private async Task WorkAsync()
    {
        var stop = _stopping.Token;
        var batch = new List<Job>();
        try
        {
            while (await _jobs.Reader.WaitToReadAsync(stop).ConfigureAwait(false))
            {
                batch.Clear();
                while (batch.Count < _embedder.BatchSize && _jobs.Reader.TryRead(out var job))
                    batch.Add(job);
                try
                {
                    await EmbedAsync(batch, stop).ConfigureAwait(false);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    foreach (var job in batch)
                        Fail(job, e.Message);
                }
                finally
                {
                    foreach (var job in batch)
                        End(job);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    /// <summary>
    /// Embeds and applies. Whether an embedding still fits is found out when it is applied; an operation that changed the text meanwhile
    /// has asked for itself.
    /// </summary>
    private async Task EmbedAsync(List<Job> batch, CancellationToken stop)
    {
        var needs = batch.DistinctBy(j => (j.Partition, j.Id)).SelectMany(Needs).ToList();
        if (needs.Count == 0)
            return;
        var answers = await AnswerAsync(needs, stop).ConfigureAwait(false);
        foreach (var partition in answers.GroupBy(a => a.Need.Job.Partition))
            await ApplyAsync(TargetOf(partition.Key), [.. partition], stop).ConfigureAwait(false);
    }

    private IEmbeddingTarget TargetOf(int partition)
    {
        foreach (var target in _targets)
        {
            if (target.Number == partition)
                return target;
        }

        throw new InvalidOperationException($"Partition {partition} is not one whose texts are embedded here.");
    }

    private IEnumerable<Need> Needs(Job job)
    {
        var rules = _rules;
        var point = TargetOf(job.Partition).Read(job.Id, new VectorSelector(false, [.. rules.Select(r => r.Vector)]));
        if (point?.Payload is not { } payload)
            yield break;
        foreach (var rule in rules)
        {
            var has = point.Vectors is { } vectors && vectors.Any(v => v.Name == rule.Vector);
            if (!has && JsonPath.TryParse(rule.Path, out var path) && PayloadTexts.ToEmbed(payload.Span, path) is { } text)
                yield return new Need(job, point.Version, rule, text);
        }
    }

    private async Task<List<Answer>> AnswerAsync(List<Need> needs, CancellationToken stop)
    {
        var answers = new List<Answer>();
        foreach (var model in needs.GroupBy(n => n.Rule.Model))
        {
            var asked = model.ToList();
            IReadOnlyList<EmbeddedText> texts;
            try
            {
                texts = await _embedder.EmbedEachAsync(model.Key, [.. asked.Select(n => n.Text)], _timing, stop).ConfigureAwait(false);
            }
            catch (GranaryException e)
            {
                foreach (var need in asked)
                    Fail(need.Job, e.Message);
                continue;
            }

            for (var i = 0; i < asked.Count; i++)
            {
                if (texts[i].Error is { } error)
                    Fail(asked[i].Job, error.Message);
                else
                    Accept(asked[i], texts[i].Vector, answers);
            }
        }

        Telemetry.Embedded.Add(answers.Count);
        return answers;
    }

    private void Accept(Need need, float[]? vector, List<Answer> answers)
    {
        if (vector is null)
            return;
        if (_schema.FindDense(need.Rule.Vector) is { } field && field.Size != vector.Length)
            Fail(need.Job, $"The model gave {vector.Length} dimensions; vector '{need.Rule.Vector}' has {field.Size}");
        else
            answers.Add(new Answer(need, vector));
    }

    private static async Task ApplyAsync(IEmbeddingTarget target, List<Answer> answers, CancellationToken stop)
    {
        var writer = new OperationWriter();
        foreach (var point in answers.GroupBy(a => a.Need.Job))
        {
            writer.Begin(OperationKind.ApplyEmbedding, point.Key.Id);
            writer.Key(EmbeddingSource.Write(point.Select(a => new EmbeddingSource(
                a.Need.Rule.Path, EmbeddingSource.DigestOf(a.Need.Text)))));
            writer.Source(point.First().Need.Source);
            foreach (var answer in point)
                writer.Dense(answer.Need.Rule.Vector, answer.Vector);
            writer.End();
        }

        var count = writer.Count;
        await target.ApplyAsync(writer.Detach(), count, stop).ConfigureAwait(false);
    }

    private void Fail(Job job, string reason)
    {
        _failed.AddOrUpdate(job.Partition, 1, static (_, count) => count + 1);
        _failures.Enqueue(new FailedOperation(
            job.Partition, job.Operation, job.Id.ToString(), $"The text was not embedded: {reason}", _time.GetUtcNow()));
        while (_failures.Count > KeptFailures)
            _failures.TryDequeue(out _);
    }

    private sealed record Need(Job Job, long Source, EmbeddingRule Rule, string Text);

    private sealed record Answer(Need Need, float[] Vector);
}
