using System.Text;

namespace Granary.Cluster.Tests.Support;

/// <summary>The answers to a fixed set of exact queries, as one text: equal wherever the same points are.</summary>
internal static class Answers
{
    private static readonly string[] Texts = ["oak", "pine maple", "elm fir hazel", "willow oak birch cedar", "rowan rowan larch"];

    public static async Task<string> OfAsync(Rest rest, string collection)
    {
        var text = new StringBuilder();
        text.AppendLine($"{await rest.CountAsync(collection)} points");
        for (var i = 0; i < Texts.Length; i++)
        {
            var vector = $$"""{"query":{{Points.Vector(i, 77)}},"params":{"exact":true},"limit":30}""";
            var words = $$$"""{"query":{"text":"{{{Texts[i]}}}"},"using":"words","limit":30}""";
            foreach (var body in new[]
            {
                vector, words, $$$"""{"prefetch":[{{{vector}}},{{{words}}}],"query":{"fusion":"rrf"},"limit":20}""",
                $$$"""
                {"query":{{{Points.Vector(i, 78)}}},"params":{"exact":true},"limit":9,"filter":{"must":[{"key":"note","range":{"gt":0}}]}}
                """,
            })
            {
                var result = await rest.OkAsync("POST", $"/collections/{collection}/points/query", body);
                foreach (var hit in result.GetProperty("points").EnumerateArray())
                    text.Append(hit.GetProperty("id").GetRawText()).Append(':').Append(hit.GetProperty("score").GetRawText()).Append(' ');
                text.AppendLine();
            }
        }

        return text.ToString();
    }

    /// <summary>The answers of a standalone server that was given these points and nothing else.</summary>
    public static async Task<string> OfStandaloneAsync(IReadOnlyList<string> points)
    {
        await using var server = await MemoryServer.StartAsync();
        await server.Rest.OkAsync("PUT", "/collections/c", Points.Collection(partitions: 1, replicas: 1));
        foreach (var batch in points.Chunk(200))
            await server.Rest.OkAsync("PUT", "/collections/c/points?wait=true", $$"""{"points":[{{string.Join(',', batch)}}]}""");
        return await OfAsync(server.Rest, "c");
    }
}
