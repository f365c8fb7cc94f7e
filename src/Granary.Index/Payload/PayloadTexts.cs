using System.Text.Json;

namespace Granary.Index.Payload;

/// <summary>The texts of a payload at a path: a string, or the strings of an array. What text fields and embeddings are made of.</summary>
public static class PayloadTexts
{
    /// <summary>The texts, in the payload's order; arrays are entered where the path says so (<c>a[].b</c>, <c>a[0]</c>).</summary>
    public static List<string> At(ReadOnlySpan<byte> payload, JsonPath path)
    {
        var texts = new List<string>();
        if (payload.IsEmpty)
            return texts;
        var reader = new Utf8JsonReader(payload, new JsonReaderOptions { MaxDepth = PayloadEdit.MaxDepth + 1 });
        reader.Read();
        try
        {
            Collect(ref reader, path, 0, texts);
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair is JSON but no text: the document ends before it, on every replica alike.
        }

        return texts;
    }

    /// <summary>What is embedded: the texts that are not blank, one a line; null when there is none.</summary>
    public static string? ToEmbed(ReadOnlySpan<byte> payload, JsonPath path)
    {
        var texts = At(payload, path);
        texts.RemoveAll(string.IsNullOrWhiteSpace);
        return texts.Count == 0 ? null : string.Join('\n', texts);
    }

    // The reader stands on a value and is left on its last token.
    private static void Collect(ref Utf8JsonReader reader, JsonPath path, int step, List<string> texts)
    {
        if (step == path.Items.Length)
        {
            if (reader.TokenType == JsonTokenType.String)
                texts.Add(reader.GetString()!);
            else if (reader.TokenType == JsonTokenType.StartArray)
                CollectStrings(ref reader, texts);
            else
                reader.Skip();
            return;
        }

        var item = path.Items[step];
        if (item.Kind == JsonPathStep.Key && reader.TokenType == JsonTokenType.StartObject)
        {
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var match = reader.ValueTextEquals(item.Key);
                reader.Read();
                if (match)
                    Collect(ref reader, path, step + 1, texts);
                else
                    reader.Skip();
            }
        }
        else if (item.Kind != JsonPathStep.Key && reader.TokenType == JsonTokenType.StartArray)
        {
            for (var i = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; i++)
            {
                if (item.Kind == JsonPathStep.Wildcard || i == item.Index)
                    Collect(ref reader, path, step + 1, texts);
                else
                    reader.Skip();
            }
        }
        else
        {
            reader.Skip();
        }
    }

    private static void CollectStrings(ref Utf8JsonReader reader, List<string> texts)
    {
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType == JsonTokenType.String)
                texts.Add(reader.GetString()!);
            else
                reader.Skip();
        }
    }
}
