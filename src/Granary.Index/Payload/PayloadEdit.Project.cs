using System.Buffers;

namespace Granary.Index.Payload;

public static partial class PayloadEdit
{
    /// <summary>
    /// What is left of a payload: everything within <paramref name="include"/> (when it is not empty), else everything outside
    /// <paramref name="exclude"/>.
    /// </summary>
    /// <remarks>
    /// As Qdrant's selectors: a path goes into an array only by <c>[]</c>; an array on the way whose elements are not included is left
    /// empty.
    /// </remarks>
    public static byte[] Project(ReadOnlySpan<byte> payload, IReadOnlyList<JsonPath> include, IReadOnlyList<JsonPath> exclude)
    {
        if (payload.IsEmpty)
            return "{}"u8.ToArray();
        var start = JsonScan.SkipSpace(payload, 0);
        var root = payload[start..JsonScan.SkipValue(payload, start)];
        if (include.Count == 0 && exclude.Count == 0)
            return root.ToArray();
        var projection = new Projection(include.Count > 0 ? include : exclude, include.Count > 0, root.Length);
        projection.Write(root);
        return projection.Result;
    }

    private sealed class Projection(IReadOnlyList<JsonPath> patterns, bool including, int size)
    {
        private readonly ArrayBufferWriter<byte> _buffer = new(Math.Max(16, size));
        private readonly List<JsonPathItem> _path = [];

        public byte[] Result => _buffer.WrittenSpan.ToArray();

        public void Write(ReadOnlySpan<byte> value)
        {
            var first = true;
            if (value[0] == '{')
            {
                _buffer.Write("{"u8);
                var members = new JsonMembers(value);
                while (members.MoveNext())
                {
                    _path.Add(new JsonPathItem(JsonPathStep.Key, JsonScan.GetString(members.Key), 0));
                    if (Keeps())
                    {
                        Separate(ref first);
                        _buffer.Write(members.Key);
                        _buffer.Write(":"u8);
                        Write(members.Value);
                    }

                    _path.RemoveAt(_path.Count - 1);
                }

                _buffer.Write("}"u8);
            }
            else if (value[0] == '[')
            {
                _buffer.Write("["u8);
                _path.Add(new JsonPathItem(JsonPathStep.Wildcard, null, 0));
                if (Keeps())
                {
                    var elements = new JsonElements(value);
                    while (elements.MoveNext())
                    {
                        Separate(ref first);
                        Write(elements.Value);
                    }
                }

                _path.RemoveAt(_path.Count - 1);
                _buffer.Write("]"u8);
            }
            else
            {
                _buffer.Write(value);
            }
        }

        /// <summary>Included: the path or the pattern begins with the other. Excluded: the path begins with the pattern.</summary>
        private bool Keeps()
        {
            foreach (var pattern in patterns)
            {
                var items = pattern.Items;
                var common = Math.Min(items.Length, _path.Count);
                if (!including && items.Length > _path.Count)
                    continue;
                var same = true;
                for (var i = 0; same && i < common; i++)
                    same = items[i].Equals(_path[i]);
                if (same)
                    return including;
            }

            return !including;
        }

        private void Separate(ref bool first)
        {
            if (!first)
                _buffer.Write(","u8);
            first = false;
        }
    }
}
