using Granary.Http.Hosting;

namespace Granary.Http.Requests;

/// <summary>Payload paths in bodies.</summary>
internal static class FieldPaths
{
    /// <summary>Refuses what is no payload path.</summary>
    public static void Check(string path, string field)
    {
        if (path.Length == 0)
            throw ApiException.Format($"{field}: Invalid JSON path: ''");
    }
}
