using System.Diagnostics;
using System.Globalization;
using Granary.Client;
using Granary.Standalone.Terminal;
using Spectre.Console;

namespace Granary.Standalone.Demo;

/// <summary>Three hybrid queries, each answered as a table that shows how the two rankings made one.</summary>
internal sealed class DemoQueries(IGranaryClient client, string model)
{
    private const int Hits = 5;

    private static readonly string[] Texts =
    [
        "listen to music from the command line",
        "watch network traffic in real time",
        "turn scanned pages into searchable text",
    ];

    public async Task RunAsync(CancellationToken cancellation)
    {
        foreach (var text in Texts)
        {
            var query = new HybridQuery(text)
            {
                Model = model,
                VectorName = "dense",
                TextField = "text",
                Limit = Hits,
                Explain = true,
            };
            var started = Stopwatch.GetTimestamp();
            var hits = await client.HybridAsync(SampleCollection.Name, query, cancellation);
            var time = Stopwatch.GetElapsedTime(started);
            Show(text, hits, time);
        }
    }

    private static void Show(string text, IReadOnlyList<Hit> hits, TimeSpan time)
    {
        var table = new Table
        {
            Border = TableBorder.Rounded,
            Title = new TableTitle(string.Create(
                CultureInfo.InvariantCulture, $"\"{Markup.Escape(text)}\" ({time.TotalMilliseconds:F1} ms)")),
        };
        table.AddColumn("#", static c => c.RightAligned());
        table.AddColumn("package");
        table.AddColumn("section");
        table.AddColumn("dense rank", static c => c.RightAligned());
        table.AddColumn("BM25 rank", static c => c.RightAligned());
        table.AddColumn("fused score", static c => c.RightAligned());
        for (var i = 0; i < hits.Count; i++)
        {
            var hit = hits[i];
            table.AddRow(
                (i + 1).ToString(CultureInfo.InvariantCulture),
                Markup.Escape(hit.Payload?.Text("name") ?? hit.Id.ToString()),
                Markup.Escape(hit.Payload?.Text("section") ?? ""),
                Rank(hit, 0),
                Rank(hit, 1),
                hit.Score.ToString("F5", CultureInfo.InvariantCulture));
        }

        Screen.Console.Write(table);
    }

    /// <summary>The hit's place on one side, from 1; a dash where that side did not find it.</summary>
    private static string Rank(Hit hit, int leg) =>
        leg < hit.Legs.Length && hit.Legs[leg].Rank is { } rank ? (rank + 1).ToString(CultureInfo.InvariantCulture) : "-";
}
