using System.Text.Json.Serialization;

namespace Granary.Standalone.Import;

/// <summary>Source-generated serialisation.</summary>
[JsonSerializable(typeof(float[]))]
internal sealed partial class ImportJson : JsonSerializerContext;
