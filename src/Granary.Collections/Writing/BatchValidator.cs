using System.Collections.Immutable;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Granary.Index;
using Granary.Index.Filters;
using Granary.Index.Operations;
using Granary.Index.Payload;
using Granary.Index.Vectors;

namespace Granary.Collections.Writing;

/// <summary>
/// Checks a batch against a collection's schema before anything of it is accepted, and marks the points whose text is to be
/// embedded. Immutable: one for each version of the settings.
/// </summary>
public sealed class BatchValidator
{
    /// <summary>The largest operation taken, bytes.</summary>
    public const int MaxOperationBytes = 128 << 20;

    /// <summary>Payload keys or vector names of one operation: each is looked for in every point the operation changes.</summary>
    private const int MaxNames = 1_024;

    private const int FewFields = 128;
    private readonly Field[] _fields;
    private readonly ImmutableArray<EmbeddingRule> _rules;
    private readonly byte[][] _ruleVectors;
    private readonly JsonPath?[] _rulePaths;

    /// <summary>Checks against these settings.</summary>
    public BatchValidator(CollectionConfig config)
    {
        _fields =
        [
            .. config.Schema.Dense.Select(
                d => new Field(Encoding.UTF8.GetBytes(d.Name), d.MultiVector ? VectorKind.Multi : VectorKind.Dense, d.Size, d.Distance)),
            .. config.Schema.Sparse.Select(s => new Field(Encoding.UTF8.GetBytes(s.Name), VectorKind.Sparse, 0, null)),
        ];
        _rules = config.Embeddings;
        _ruleVectors = [.. _rules.Select(r => Encoding.UTF8.GetBytes(r.Vector))];
        _rulePaths = [.. _rules.Select(r => JsonPath.TryParse(r.Path, out var path) ? path : null)];
    }

    /// <summary>Checks every operation; throws on the first that is wrong.</summary>
    /// <param name="operations">What an <see cref="OperationWriter"/> wrote. Marks of what awaits embedding are set in place.</param>
    /// <returns>How many operations go to every partition (by filter).</returns>
    /// <exception cref="GranaryException">Names the point, the field, the value and the limit.</exception>
    public int Validate(Memory<byte> operations)
    {
        var position = 0;
        var everywhere = 0;
        foreach (var bytes in new OperationSequence(operations.Span))
        {
            if (bytes.Length > MaxOperationBytes)
                throw GranaryException.BadInput($"Operation {position} has {bytes.Length} bytes; the limit is {MaxOperationBytes}");
            var view = new OperationView(bytes);
            var byFilter = (view.Flags & OperationFlags.ByFilter) != 0;
            if (byFilter)
                everywhere++;
            else if (view.Id.Kind == PointIdKind.None)
                throw GranaryException.BadInput($"Operation {position} ({view.Kind}) names no point and no filter");
            Validate(view, byFilter, position);
            // What settings known before have marked may not be theirs to mark any more.
            var awaits = _rules.Length > 0 && AwaitsEmbedding(view, position);
            if (awaits != ((view.Flags & OperationFlags.AwaitsEmbedding) != 0))
                MemoryMarshal.CreateSpan(ref MemoryMarshal.GetReference(bytes), bytes.Length)[1] ^= (byte)OperationFlags.AwaitsEmbedding;
            position++;
        }

        return everywhere;
    }

    private void Validate(OperationView view, bool byFilter, int position)
    {
        switch (view.Kind)
        {
            case OperationKind.Upsert when byFilter:
                throw GranaryException.BadInput($"Operation {position}: an upsert needs a point id");
            case OperationKind.Upsert or OperationKind.UpdateVectors or OperationKind.SetPayload or OperationKind.OverwritePayload
                or OperationKind.Delete or OperationKind.ClearPayload:
                break;
            case OperationKind.DeletePayload:
                ValidateKeys(view, position);
                break;
            case OperationKind.DeleteVectors:
                ValidateNames(view, position);
                break;
            default:
                throw GranaryException.BadInput($"Operation {position}: {view.Kind} is not a change of points");
        }

        if (!view.Filter.IsEmpty)
            FilterJson.Parse(view.Filter);
        else if (byFilter)
            throw GranaryException.BadInput($"Operation {position} ({view.Kind}) names no filter");
        if (!view.Payload.IsEmpty)
            ValidatePayload(view, position);
        else if (view.Kind == OperationKind.SetPayload)
            throw GranaryException.BadInput($"Operation {position}: no payload given{At(view, position)}");
        if (view.Kind == OperationKind.SetPayload && !view.Key.IsEmpty)
            ValidateKey(view, position);
        if (view.VectorCount == 0)
            return;
        Span<bool> named = _fields.Length <= FewFields ? stackalloc bool[FewFields] : new bool[_fields.Length];
        foreach (var vector in view)
        {
            var field = Find(vector.NameUtf8);
            if (field < 0)
                throw Wrong($"Not existing vector name error: {vector.Name}", view, position);
            if (named[field])
                throw Wrong($"Vector \"{vector.Name}\" is given twice", view, position);
            named[field] = true;
            Validate(view, vector, _fields[field], position);
        }
    }

    private static void Validate(OperationView view, VectorView vector, Field field, int position)
    {
        if (vector.Kind != field.Kind)
        {
            var text = (vector.Kind, field.Kind) switch
            {
                (VectorKind.Sparse, _) => "Conversion between sparse and regular vectors failed",
                (_, VectorKind.Sparse) => "Conversion between sparse and regular vectors failed",
                _ => "Conversion between multi and regular vectors failed",
            };
            // One row is a matrix of one row.
            if (!(vector.Kind == VectorKind.Dense && field.Kind == VectorKind.Multi))
                throw Wrong($"{text}: vector \"{vector.Name}\"", view, position);
        }

        if (field.Kind != VectorKind.Sparse && vector.Size != field.Size)
            throw Wrong(Errors.WrongSize(field.Size, vector.Size).Message, view, position);
        if (vector.Rows < 1)
            throw Wrong($"Vector \"{vector.Name}\" is a matrix without rows", view, position);
        if (!AllFinite(vector.Values))
            throw Wrong($"Vector \"{vector.Name}\" holds a value that is not a finite number", view, position);
        if (field.Distance is { } distance && !VectorNorm.Fits(distance, vector.Values, field.Size))
            throw Wrong(VectorNorm.TooLong($"Vector \"{vector.Name}\"").Message, view, position);
        var indices = vector.Indices;
        for (var i = 1; i < indices.Length; i++)
        {
            if (indices[i] <= indices[i - 1])
                throw Wrong($"Sparse vector \"{vector.Name}\": indices must be unique and ascending, got {indices[i - 1]} before "
                    + $"{indices[i]}", view, position);
        }
    }

    private void ValidateNames(OperationView view, int position)
    {
        foreach (var name in Strings(view, "vector names", position))
        {
            if (Find(Encoding.UTF8.GetBytes(name)) < 0)
                throw Wrong($"Not existing vector name error: {name}", view, position);
        }
    }

    private static void ValidateKeys(OperationView view, int position)
    {
        foreach (var key in Strings(view, "payload keys", position))
        {
            if (!JsonPath.TryParse(key, out _))
                throw Wrong($"Invalid json path: '{key}'", view, position);
        }
    }

    private static List<string> Strings(OperationView view, string what, int position)
    {
        if (view.Key.IsEmpty)
            throw GranaryException.BadInput($"Operation {position}: no {what} given");
        try
        {
            using var names = JsonDocument.Parse(view.Key.ToArray());
            if (names.RootElement.GetArrayLength() is var count && count > MaxNames)
                throw GranaryException.BadInput($"Operation {position}: {count} {what} are given; the limit is {MaxNames}");
            return [.. names.RootElement.EnumerateArray().Select(n => n.GetString() ?? throw new JsonException("null"))];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw GranaryException.BadInput($"Operation {position}: {what} must be a JSON array of strings");
        }
    }

    /// <summary>
    /// All that <see cref="PayloadEdit.Normalize"/> refuses when the operation is applied, without making the payload anew.
    /// </summary>
    private static void ValidatePayload(OperationView view, int position)
    {
        if (!Utf8.IsValid(view.Payload))
            throw Wrong("The payload is not valid UTF-8", view, position);
        try
        {
            var reader = new Utf8JsonReader(view.Payload, new JsonReaderOptions { MaxDepth = PayloadEdit.MaxDepth });
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
                throw Wrong("The payload must be a JSON object", view, position);
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped)
                    reader.GetString();
                else if (reader.TokenType == JsonTokenType.Number && (!reader.TryGetDouble(out var number) || !double.IsFinite(number)))
                    throw Wrong($"The payload's number {Encoding.UTF8.GetString(reader.ValueSpan)} is out of range", view, position);
            }
        }
        catch (JsonException e)
        {
            throw Wrong($"The payload is not valid JSON: {e.Message}", view, position);
        }
        catch (InvalidOperationException)
        {
            throw Wrong("The payload holds a string that is not valid Unicode", view, position);
        }
    }

    private static void ValidateKey(OperationView view, int position)
    {
        try
        {
            PayloadEdit.CheckSet(view.Payload, JsonPath.Parse(Encoding.UTF8.GetString(view.Key)));
        }
        catch (GranaryException e)
        {
            throw Wrong(e.Message, view, position);
        }
    }

    /// <summary>
    /// Whether the operation may leave a point with a text and without the vector it is for: brings the text, changes or removes a part of
    /// it, or removes the vector. Whether the point has the vector is seen when the operation is applied, and one that a client gave and
    /// that is there is left alone.
    /// </summary>
    private bool AwaitsEmbedding(OperationView view, int position)
    {
        switch (view.Kind)
        {
            case OperationKind.Upsert or OperationKind.OverwritePayload:
            case OperationKind.SetPayload when view.Key.IsEmpty:
                return BringsText(view);
            case OperationKind.SetPayload:
                return Touches(Encoding.UTF8.GetString(view.Key));
            case OperationKind.DeletePayload:
                return Strings(view, "payload keys", position).Exists(Touches);
            case OperationKind.DeleteVectors:
                return Strings(view, "vector names", position).Exists(name => _rules.Any(r => r.Vector == name));
            default:
                return false;
        }
    }

    private bool BringsText(OperationView view)
    {
        for (var i = 0; i < _rules.Length; i++)
        {
            var has = false;
            foreach (var vector in view)
                has |= vector.NameUtf8.SequenceEqual(_ruleVectors[i]);
            if (!has && _rulePaths[i] is { } path && PayloadTexts.ToEmbed(view.Payload, path) is not null)
                return true;
        }

        return false;
    }

    // What lies under another key of the payload than a rule's text has nothing to do with it.
    private bool Touches(string key) =>
        JsonPath.TryParse(key, out var path) && Array.Exists(_rulePaths, p => p?.Items[0] == path.Items[0]);

    private int Find(ReadOnlySpan<byte> name)
    {
        for (var i = 0; i < _fields.Length; i++)
        {
            if (name.SequenceEqual(_fields[i].Name))
                return i;
        }

        return -1;
    }

    private static bool AllFinite(ReadOnlySpan<float> values)
    {
        var i = 0;
        var limit = new Vector<float>(float.MaxValue);
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            // A comparison with NaN is false, so one test finds NaN and infinity.
            if (!Vector.LessThanOrEqualAll(Vector.Abs(new Vector<float>(values[i..])), limit))
                return false;
        }

        for (; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]))
                return false;
        }

        return true;
    }

    private static GranaryException Wrong(string message, OperationView view, int position) =>
        GranaryException.BadInput(message + At(view, position));

    private static string At(OperationView view, int position) =>
        view.Id.Kind == PointIdKind.None ? $" (operation {position})" : $" (point {view.Id}, operation {position})";

    private sealed record Field(byte[] Name, VectorKind Kind, int Size, Distance? Distance);
}
