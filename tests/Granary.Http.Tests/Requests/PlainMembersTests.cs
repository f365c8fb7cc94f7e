using System.Text;
using Granary.Collections;
using Granary.Http.Hosting;
using Granary.Http.Json;
using Granary.Http.Requests;
using Granary.Http.StrictMode;

namespace Granary.Http.Tests.Requests;

/// <summary>A query says the same whether its members are read as they are passed or out of a document.</summary>
public sealed class PlainMembersTests
{
    [Theory]
    [InlineData("""{"query":[1,2],"limit":7,"offset":3,"using":"v","with_payload":true,"with_vector":true}""")]
    [InlineData("""{"query":[1,2],"limit":7,"with_payload":false,"with_vector":false,"params":{"hnsw_ef":9}}""")]
    [InlineData("""{ "params" : { "exact" : true , "indexed_only" : false , "hnsw_ef" : 12 } , "query" : [ 1 , 2.5e0 ] }""")]
    [InlineData("""{"params":{},"query":5,"limit":999999999}""")]
    [InlineData("""{"params":{"exact":true,"exact":false}}""")]
    [InlineData("""{"params":{"exact":true,"exact":null}}""")]
    [InlineData("""{"params":{"hnsw_ef":3,"quantization":{"oversampling":2.0}}}""")]
    [InlineData("""{"params":{"hnsw_ef":3},"params":null}""")]
    [InlineData("""{"params":null,"params":{"hnsw_ef":3}}""")]
    [InlineData("""{"limit":7,"limit":8}""")]
    [InlineData("""{"limit":7,"limit":null}""")]
    [InlineData("""{"limit":null,"limit":7}""")]
    [InlineData("""{"limit":7,"limit":12345678901}""")]
    [InlineData("""{"limit":12345678901,"limit":7}""")]
    [InlineData("""{"li\u006dit":7,"offset":0}""")]
    [InlineData("""{"using":"\u0076"}""")]
    [InlineData("""{"using":"v","using":""}""")]
    [InlineData("""{"using":"","using":"v"}""")]
    [InlineData("""{"with_vector":["v"],"with_vector":true}""")]
    [InlineData("""{"with_vector":true,"with_vector":["v"]}""")]
    [InlineData("""{"with_vector":false,"with_vectors":true}""")]
    [InlineData("""{"with_vector":null,"with_vectors":true}""")]
    [InlineData("""{"with_payload":true,"with_payload":{"exclude":["a"]}}""")]
    [InlineData("""{"score_threshold":0.5,"limit":3,"filter":{"must":[{"key":"a","match":{"value":1}}]},"explain":true}""")]
    [InlineData("""{"limit":0}""")]
    [InlineData("""{"limit":-1}""")]
    [InlineData("""{"limit":007}""")]
    [InlineData("""{"limit":7.0}""")]
    [InlineData("""{"limit":1e1}""")]
    [InlineData("""{"limit":"7"}""")]
    [InlineData("""{"limit":7x}""")]
    [InlineData("""{"limit":7""")]
    [InlineData("""{"limit":}""")]
    [InlineData("""{"limit":7,}""")]
    [InlineData("""{"offset":-1}""")]
    [InlineData("""{"with_payload":truest}""")]
    [InlineData("""{"with_payload":1}""")]
    [InlineData("""{"with_vector":1}""")]
    [InlineData("""{"using":5}""")]
    [InlineData("""{"using":"v}""")]
    [InlineData("""{"params":5}""")]
    [InlineData("""{"params":{"hnsw_ef":0}}""")]
    [InlineData("""{"params":{"exact":1}}""")]
    [InlineData("""{"params":{"exact":true,}}""")]
    [InlineData("""{"params":{"hnsw_ef":3""")]
    public void A_member_means_what_the_document_says(string body) =>
        Assert.Equal(Read(body, plainly: false), Read(body, plainly: true));

    [Theory]
    [InlineData("[1,2,3]")]
    [InlineData(" [ 1 , -2.5e-3 , 1e38 ] ")]
    [InlineData("[[1,2],[3,4]]")]
    [InlineData("[0]")]
    public void A_vector_is_read_whole(string text)
    {
        var cursor = new JsonCursor(Encoding.UTF8.GetBytes(text));
        var expected = System.Text.Json.JsonSerializer.Deserialize<float[]>($"[{text.Replace("[", "", StringComparison.Ordinal)
            .Replace("]", "", StringComparison.Ordinal)}]");
        var values = VectorInputs.Read(ref cursor) switch
        {
            DenseInput dense => dense.Values,
            MultiInput matrix => matrix.Values,
            _ => throw new InvalidOperationException("Not a vector."),
        };
        cursor.End();
        Assert.Equal(expected, values.ToArray());
    }

    [Theory]
    [InlineData("[]", "a vector must not be empty")]
    [InlineData("[1,]", "trailing comma at line 1 column 4")]
    [InlineData("[1,,2]", "expected value at line 1 column 4")]
    [InlineData("[,1]", "expected value at line 1 column 2")]
    [InlineData("[1 2]", "expected `,` or `]` at line 1 column 4")]
    [InlineData("[1,2", "EOF while parsing a value")]
    [InlineData("[1,1e39]", "number out of range of a 32-bit float at line 1 column 4")]
    [InlineData("[1,null]", "invalid type: null, expected f32")]
    [InlineData("[1,\"]\"]", "invalid type: string, expected f32")]
    [InlineData("[1,[2]]", "invalid type: sequence, expected f32")]
    [InlineData("[[1,2],[3]]", "all vectors must have the same dimension")]
    public void What_is_wrong_with_a_vector_is_said(string text, string expected)
    {
        var error = Assert.Throws<ApiException>(() =>
        {
            var cursor = new JsonCursor(Encoding.UTF8.GetBytes(text));
            VectorInputs.Read(ref cursor);
        });
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    /// <summary>What a body asks for, or what is wrong with it.</summary>
    private static string Read(string body, bool plainly)
    {
        var config = new CollectionConfig();
        var check = new StrictModeCheck(null, config);
        try
        {
            var cursor = new JsonCursor(Encoding.UTF8.GetBytes(body));
            var request = new QueryReader(check, plainly).Read(ref cursor, new ReadOptions());
            cursor.End();
            var vector = request.Query is NearestQuery { Input: DenseInput dense } ? string.Join(' ', dense.Values.ToArray()) : "";
            return $"{vector} {request.Query?.GetType().Name} {request.Limit} {request.Offset} {request.Using} {request.Params} "
                + $"{request.WithPayload.Enabled} {string.Join(' ', request.WithPayload.Exclude)} {request.WithVectors.All} "
                + $"{string.Join(' ', request.WithVectors.Names ?? [])} {request.ScoreThreshold} {request.Filter is null} "
                + $"{request.Explain}";
        }
        catch (ApiException e)
        {
            return $"{e.Status} {e.Message}";
        }
    }
}
