using System.Text;
using System.Text.Json;

namespace Granary.Index.Payload;

public sealed partial class PayloadIndexes
{
    private const int ImageVersion = 1;

    private static readonly StoredDefaults Defaults = new StoredDefaults()
        .With(new AnalyzerSettings(), PayloadIndexJson.Default.AnalyzerSettings)
        .With(new PayloadIndexSchema("", PayloadIndexType.Keyword), PayloadIndexJson.Default.PayloadIndexSchema);

    /// <summary>Writes the indexes. Called by the writing thread.</summary>
    public void Save(Stream stream) => Save(stream, Freeze(), static _ => true);

    /// <summary>The indexes there are now, to be written later.</summary>
    internal FrozenIndexes Freeze() => new(_indexes);

    /// <summary>
    /// Writes what indexes hold of the slots that <paramref name="has"/> names. Others may be added meanwhile, these not removed.
    /// </summary>
    internal static void Save(Stream stream, FrozenIndexes frozen, Func<int, bool> has)
    {
        using var writer = new IndexImage.Writer(stream, has);
        writer.Write(ImageVersion);
        writer.Write(frozen.Indexes.Length);
        foreach (var index in frozen.Indexes)
        {
            writer.Write(JsonSerializer.Serialize(index.Schema, PayloadIndexJson.Default.PayloadIndexSchema));
            writer.WriteSlots(index.Points);
            writer.WriteSlots(index.Foreign);
            index.Save(writer);
        }
    }

    /// <summary>Reads what <see cref="Save(Stream)"/> wrote.</summary>
    /// <exception cref="GranaryException">The image has another version, ends early or names an unknown index.</exception>
    public static PayloadIndexes Load(Stream stream)
    {
        try
        {
            using var reader = new IndexImage.Reader(stream);
            var version = reader.ReadInt32();
            if (version != ImageVersion)
                throw new GranaryException(ErrorKind.Corrupted, $"Payload index image version {version} is not {ImageVersion}.");
            var indexes = new Fields.FieldIndex[reader.ReadInt32()];
            for (var i = 0; i < indexes.Length; i++)
            {
                indexes[i] = Make(Defaults.Read(Encoding.UTF8.GetBytes(reader.ReadString()), PayloadIndexJson.Default.PayloadIndexSchema));
                reader.ReadSlots(indexes[i].Points);
                reader.ReadSlots(indexes[i].Foreign);
                indexes[i].Load(reader);
            }

            return new PayloadIndexes { _indexes = indexes };
        }
        catch (Exception e) when (e is EndOfStreamException or JsonException or FormatException or OverflowException)
        {
            throw new GranaryException(ErrorKind.Corrupted, $"The payload index image is damaged: {e.Message}", e);
        }
    }
}

/// <summary>The payload indexes there were at one operation.</summary>
internal sealed record FrozenIndexes(Fields.FieldIndex[] Indexes);

[System.Text.Json.Serialization.JsonSourceGenerationOptions(RespectRequiredConstructorParameters = true)]
[System.Text.Json.Serialization.JsonSerializable(typeof(PayloadIndexSchema))]
internal sealed partial class PayloadIndexJson : System.Text.Json.Serialization.JsonSerializerContext;
