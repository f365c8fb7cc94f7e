using System.Collections.Concurrent;

namespace Granary.Index.Text;

/// <summary>
/// Which terms of a field are laid out for search. Layouts of terms that were not asked for lately are given up when all together take
/// more than a limit, which follows the field's postings (a clock, Corbato 1968). Thread-safe.
/// </summary>
/// <param name="limit">How many bytes they may take together, now.</param>
internal sealed class ImpactLayouts(Func<long> limit)
{
    private readonly ConcurrentQueue<TextField.Term> _clock = new();
    private readonly Lock _sweeping = new();
    private long _bytes;

    /// <summary>Bytes of all layouts.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Says that a term has another layout now; sees to it that there is room for it.</summary>
    public void Replaced(TextField.Term term, ImpactList? before, ImpactList now)
    {
        if (before is null)
            _clock.Enqueue(term);
        if (Interlocked.Add(ref _bytes, now.Bytes - (before?.Bytes ?? 0)) > limit() && _sweeping.TryEnter())
        {
            try
            {
                Sweep(limit());
            }
            finally
            {
                _sweeping.Exit();
            }
        }
    }

    /// <summary>Says that a term is gone; its place on the clock is passed over.</summary>
    public void Forget(ImpactList? layout) => Interlocked.Add(ref _bytes, -(layout?.Bytes ?? 0));

    private void Sweep(long most)
    {
        // Twice around: what was asked for lately stays for one round.
        for (var left = 2 * _clock.Count; left > 0 && Bytes > most && _clock.TryDequeue(out var term); left--)
        {
            if (term.TakeUsed())
                _clock.Enqueue(term);
            else
                Interlocked.Add(ref _bytes, -(term.TakeImpacts()?.Bytes ?? 0));
        }
    }
}
