using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Granary.Index;

/// <summary>
/// Reads stored records so that a property a document lacks (an older version wrote it, or a hand edited it) has the value of its
/// initialiser. Generated deserialisers would give it the default of its type: they set init-only properties as they call a constructor,
/// all at once.
/// So what is missing is put into the document before it is read, from a record made with its own initialisers.
/// </summary>
/// <remarks>Constructor parameters without a default value are not optional: without them a document is damaged. Safe for use by any
/// number of threads once it is made.</remarks>
public sealed class StoredDefaults
{
    private readonly Dictionary<Type, JsonObject> _defaults = [];

    /// <summary>Adds a type.</summary>
    /// <param name="sample">A record of it, with nothing set but its constructor's parameters.</param>
    /// <param name="type">How it is written.</param>
    public StoredDefaults With<T>(T sample, JsonTypeInfo<T> type)
        where T : class
    {
        var written = (JsonObject)JsonSerializer.SerializeToNode(sample, type)!;
        foreach (var property in type.Properties)
        {
            if (property.AssociatedParameter is { IsMemberInitializer: false })
                written.Remove(property.Name);
        }

        _defaults.Add(typeof(T), written);
        return this;
    }

    /// <summary>Reads a document.</summary>
    /// <exception cref="JsonException">It is damaged.</exception>
    public T Read<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            var root = JsonNode.Parse(json);
            Complete(root, type);
            return root.Deserialize(type) ?? throw new JsonException("It is null.");
        }
        catch (ArgumentException e)
        {
            // A name that occurs twice.
            throw new JsonException(e.Message, e);
        }
    }

    private void Complete(JsonNode? node, JsonTypeInfo type)
    {
        if (node is JsonArray array && type is { Kind: JsonTypeInfoKind.Enumerable, ElementType: { } element })
        {
            foreach (var item in array)
                Complete(item, type.Options.GetTypeInfo(element));
        }
        else if (node is JsonObject value && type.Kind == JsonTypeInfoKind.Object)
        {
            if (_defaults.TryGetValue(type.Type, out var defaults))
            {
                foreach (var (name, given) in defaults)
                {
                    // Null stands for a missing value wherever it could not be one.
                    if (given is not null && value[name] is null)
                        value[name] = given.DeepClone();
                }
            }

            foreach (var property in type.Properties)
                Complete(value[property.Name], type.Options.GetTypeInfo(property.PropertyType));
        }
    }
}
