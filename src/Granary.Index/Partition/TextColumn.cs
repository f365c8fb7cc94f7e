using System.Text.Json;
using Granary.Index.Payload;
using Granary.Index.Text;

namespace Granary.Index.Partition;

/// <summary>A text field: its documents come from the payload.</summary>
internal sealed class TextColumn(TextField inner) : Field(inner.Schema.Name)
{
    private readonly JsonPath _path = JsonPath.Parse(inner.Schema.Path);

    /// <summary>The inverted index.</summary>
    public TextField Postings => inner;

    /// <inheritdoc/>
    public override int RowCapacity => inner.DocumentCapacity;

    /// <inheritdoc/>
    protected override long FieldBytes => inner.Bytes;

    /// <inheritdoc/>
    public override int SlotOf(int row) => inner.SlotOf(row);

    /// <inheritdoc/>
    public override void Forget(int row) => inner.Forget(row);

    /// <inheritdoc/>
    public override void Save(Stream stream) => inner.Save(stream);

    /// <summary>The strings of a payload that make the document.</summary>
    public List<string> Texts(ReadOnlySpan<byte> payload)
    {
        var texts = new List<string>();
        if (payload.IsEmpty)
            return texts;
        var reader = new Utf8JsonReader(payload, new JsonReaderOptions { MaxDepth = PayloadEdit.MaxDepth + 1 });
        reader.Read();
        try
        {
            Collect(ref reader, 0, texts);
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair is JSON but no text: the document ends before it, on every replica alike.
        }

        return texts;
    }

    /// <inheritdoc/>
    protected override void DisposeField()
    {
    }

    /// <inheritdoc/>
    protected override void Retarget(int row, int slot) => inner.Retarget(row, slot);

    /// <inheritdoc/>
    protected override void Remove(int row) => inner.Remove(row);

    // The reader stands on a value and is left on its last token.
    private void Collect(ref Utf8JsonReader reader, int step, List<string> texts)
    {
        if (step == _path.Items.Length)
        {
            if (reader.TokenType == JsonTokenType.String)
                texts.Add(reader.GetString()!);
            else if (reader.TokenType == JsonTokenType.StartArray)
                CollectStrings(ref reader, texts);
            else
                reader.Skip();
            return;
        }

        var item = _path.Items[step];
        if (item.Kind == JsonPathStep.Key && reader.TokenType == JsonTokenType.StartObject)
        {
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var match = reader.ValueTextEquals(item.Key);
                reader.Read();
                if (match)
                    Collect(ref reader, step + 1, texts);
                else
                    reader.Skip();
            }
        }
        else if (item.Kind != JsonPathStep.Key && reader.TokenType == JsonTokenType.StartArray)
        {
            for (var i = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; i++)
            {
                if (item.Kind == JsonPathStep.Wildcard || i == item.Index)
                    Collect(ref reader, step + 1, texts);
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
