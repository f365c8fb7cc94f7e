using Granary.Http.Hosting;
using Granary.Index.Payload;

namespace Granary.Http.Requests;

/// <summary>Payload paths in bodies.</summary>
internal static class FieldPaths
{
    /// <summary>Refuses what is no payload path.</summary>
    public static void Check(string path, string field)
    {
        if (!JsonPath.TryParse(path, out _))
            throw ApiException.Format($"{field}: Invalid JSON path: '{path}'");
    }
}
