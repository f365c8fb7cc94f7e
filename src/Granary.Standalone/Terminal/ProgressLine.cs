using System.Diagnostics;
using System.Globalization;
using Spectre.Console;

namespace Granary.Standalone.Terminal;

/// <summary>
/// Progress of a long command: a bar with rate and time left on a terminal, a plain line now and then where the output is redirected.
/// Thread-safe.
/// </summary>
internal sealed class ProgressLine : IDisposable
{
    private static readonly TimeSpan BarInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(2);
    private const int BarWidth = 30;

    private readonly string _title;
    private readonly bool _plain;
    private readonly string _unit;
    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly ITimer _timer;
    private readonly Lock _drawing = new();
    private long _total;
    private long _done;
    private long _items;
    private bool _ended;

    private ProgressLine(string title, long total, string unit, bool plain)
    {
        (_title, _total, _unit, _plain) = (title, total, unit, plain);
        var interval = plain ? LineInterval : BarInterval;
        _timer = TimeProvider.System.CreateTimer(static state => ((ProgressLine)state!).Draw(false), this, interval, interval);
        Draw(false);
    }

    /// <summary>Starts one on the console; <paramref name="total"/> of 0 means unknown as yet.</summary>
    public static ProgressLine Start(string title, long total, string unit = "points") =>
        new(title, total, unit, Console.IsOutputRedirected || !AnsiConsole.Profile.Capabilities.Ansi);

    /// <summary>What is to be done in all, in the same measure as <see cref="Add(long, long)"/>'s first.</summary>
    public void SetTotal(long total) => Volatile.Write(ref _total, total);

    /// <summary>So many items are done.</summary>
    public void Add(long items) => Add(items, items);

    /// <summary>So much of the total is done (bytes, say), and so many items with it.</summary>
    public void Add(long done, long items)
    {
        Interlocked.Add(ref _done, done);
        Interlocked.Add(ref _items, items);
    }

    /// <summary>Draws it for the last time.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        Draw(true);
    }

    /// <summary>The line's text.</summary>
    internal static string Describe(string title, string unit, long total, long done, long items, TimeSpan elapsed, bool bar)
    {
        var rate = items / Math.Max(elapsed.TotalSeconds, 1e-3);
        var text = string.Create(CultureInfo.InvariantCulture, $"{items:N0} {unit}, {rate:N0}/s");
        if (total <= 0)
            return $"{title}: {text}";
        var share = Math.Clamp((double)done / total, 0, 1);
        var left = share is > 0 and < 1 ? TimeSpan.FromSeconds(elapsed.TotalSeconds * (1 - share) / share) : TimeSpan.Zero;
        var filled = (int)(share * BarWidth);
        var drawn = bar ? $" [{new string('=', filled)}{new string(' ', BarWidth - filled)}]" : "";
        return string.Create(CultureInfo.InvariantCulture,
            $"{title}:{drawn} {share * 100:F0}%, {text}, {(share < 1 ? $"{left:mm\\:ss} left" : $"{elapsed.TotalSeconds:F1} s")}");
    }

    private void Draw(bool last)
    {
        lock (_drawing)
        {
            if (_ended)
                return;
            _ended = last;
            var text = Describe(_title, _unit, Volatile.Read(ref _total), Volatile.Read(ref _done), Volatile.Read(ref _items),
                Stopwatch.GetElapsedTime(_started), !_plain);
            if (_plain)
                Console.WriteLine(text);
            else
                Console.Write($"\r{text}\u001b[K{(last ? Environment.NewLine : "")}");
        }
    }
}
