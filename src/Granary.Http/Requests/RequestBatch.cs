using Granary.Collections;
using Granary.Http.Json;
using Granary.Http.StrictMode;

namespace Granary.Http.Requests;

/// <summary>Reads a request where a cursor stands.</summary>
internal delegate T RequestReader<out T>(ref JsonCursor cursor, StrictModeCheck check, ReadOptions read);

/// <summary>Several requests in one body: <c>{"searches": [...]}</c>.</summary>
internal static class RequestBatch
{
    /// <summary>A reader of batches; <paramref name="expected"/> is what the error about another body says was expected.</summary>
    public static RequestReader<List<QueryRequest>> Of(string expected, RequestReader<QueryRequest> one) =>
        (ref cursor, check, read) => Read(ref cursor, check, read, expected, one);

    private static List<QueryRequest> Read(
        ref JsonCursor cursor, StrictModeCheck check, ReadOptions read, string expected, RequestReader<QueryRequest> one)
    {
        List<QueryRequest>? queries = null;
        var first = true;
        cursor.BeginObject(expected);
        while (cursor.NextProperty(ref first, out var name))
        {
            if (!name.SequenceEqual("searches"u8))
            {
                cursor.Skip();
                continue;
            }

            queries = [];
            var firstItem = true;
            cursor.BeginArray("a sequence");
            while (cursor.NextItem(ref firstItem))
            {
                StrictModeCheck.BeforeNext(queries.Count);
                queries.Add(one(ref cursor, check, read));
            }
        }

        if (queries is null)
            throw cursor.Fail("missing field `searches`");
        check.BatchSize(queries.Count);
        return queries;
    }
}
