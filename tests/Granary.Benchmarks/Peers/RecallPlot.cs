using System.Globalization;
using System.Text;

namespace Granary.Benchmarks;

/// <summary>Recall against queries a second as SVG: one line a peer, recall to the right, rates on a logarithmic axis.</summary>
internal static class RecallPlot
{
    private const int Width = 720, Height = 440, Left = 64, Top = 40, Right = 150, Bottom = 48;
    private const double Least = 0.8;
    private static readonly string[] Colours = ["#b3261e", "#1f6feb", "#2da44e", "#8250df", "#bf8700", "#57606a", "#0e7490"];

    public static void Write(string path, string title, IReadOnlyList<(string Name, IReadOnlyList<Effort> Efforts)> curves)
    {
        var shown = curves.Select(curve => (curve.Name, Points: curve.Efforts
            .Where(effort => effort.Recall >= Least).OrderBy(effort => effort.Recall).ToArray())).ToArray();
        var rates = shown.SelectMany(curve => curve.Points).Select(effort => effort.Rate).ToArray();
        if (rates.Length == 0)
            return;
        double low = Math.Floor(Math.Log10(rates.Min()) * 2) / 2, high = Math.Ceiling(Math.Log10(rates.Max()) * 2) / 2;
        double X(double recall) => Left + ((recall - Least) / (1 - Least) * (Width - Left - Right));
        double Y(double rate) => Top + ((high - Math.Log10(rate)) / (high - low) * (Height - Top - Bottom));

        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {Height}" font-family="sans-serif" font-size="12">
            <rect width="{Width}" height="{Height}" fill="#fff"/>
            <text x="{Left}" y="24" font-size="15">{title}</text>

            """);
        for (var recall = Least; recall <= 1.0001; recall += 0.05)
            Line(svg, X(recall), Top, X(recall), Height - Bottom, recall.ToString("F2", CultureInfo.InvariantCulture),
                X(recall) - 12, Height - Bottom + 18);
        foreach (var tick in Enumerable.Range(0, 8).SelectMany(power => new[] { 1, 2, 5 }, (power, digit) => digit * Math.Pow(10, power)))
        {
            if (Math.Log10(tick) >= low - 1e-9 && Math.Log10(tick) <= high + 1e-9)
                Line(svg, Left, Y(tick), Width - Right, Y(tick), tick.ToString("N0", CultureInfo.InvariantCulture), 8, Y(tick) + 4);
        }

        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left}\" y=\"{Height - 10}\">recall@10; queries a second upward</text>\n");
        for (var i = 0; i < shown.Length; i++)
        {
            var colour = Colours[i % Colours.Length];
            var points = string.Join(" ", shown[i].Points.Select(
                effort => FormattableString.Invariant($"{X(effort.Recall):F1},{Y(effort.Rate):F1}")));
            svg.Append(CultureInfo.InvariantCulture,
                $"<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\n");
            svg.Append(CultureInfo.InvariantCulture,
                $"<text x=\"{Width - Right + 12}\" y=\"{Top + 16 + (i * 20)}\" fill=\"{colour}\">{shown[i].Name}</text>\n");
        }

        svg.Append("</svg>\n");
        File.WriteAllText(path, svg.ToString());
    }

    private static void Line(StringBuilder svg, double x1, double y1, double x2, double y2, string label, double x, double y) =>
        svg.Append(CultureInfo.InvariantCulture,
            $"<path d=\"M{x1:F1} {y1:F1}L{x2:F1} {y2:F1}\" stroke=\"#ddd\"/><text x=\"{x:F1}\" y=\"{y:F1}\">{label}</text>\n");
}
