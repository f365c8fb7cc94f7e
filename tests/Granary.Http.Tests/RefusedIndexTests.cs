using System.Reflection;
using Granary.Collections;
using Granary.Index;

namespace Granary.Http.Tests;

public sealed class RefusedIndexTests
{
    [Fact]
    public async Task An_index_that_the_engine_refuses_is_not_remembered()
    {
        var server = new ApiServer(new GranaryHttpOptions(), static inner => Between<IDatabase>.Over(inner, static (method, call) =>
            method == nameof(IDatabase.GetCollectionAsync) ? RefusingAsync((ValueTask<ICollection>)call()!) : call()));
        await server.InitializeAsync();
        try
        {
            await server.CreateSampleAsync("refused");
            await server.RefusedAsync("PUT", "/collections/refused/index",
                """{"field_name":"city","field_schema":{"type":"keyword","is_tenant":true}}""", 503, "not now");
            Assert.DoesNotContain("payload_schema", (await server.Database.GetCollectionAsync("refused")).Config.Declared.Keys);
        }
        finally
        {
            await server.DisposeAsync();
        }
    }

    private static async ValueTask<ICollection> RefusingAsync(ValueTask<ICollection> collection) =>
        Between<ICollection>.Over(await collection, static (method, call) =>
            method == nameof(ICollection.CreatePayloadIndexAsync) ? throw new GranaryException(ErrorKind.Unavailable, "not now") : call());

    /// <summary>Stands before an object and may answer in its place.</summary>
    public class Between<T> : DispatchProxy
        where T : class
    {
        private Func<string, Func<object?>, object?> _answer = null!;
        private T _inner = null!;

        public static T Over(T inner, Func<string, Func<object?>, object?> answer)
        {
            var proxy = Create<T, Between<T>>();
            var between = (Between<T>)(object)proxy;
            (between._inner, between._answer) = (inner, answer);
            return proxy;
        }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
            _answer(targetMethod!.Name, () => targetMethod.Invoke(_inner, BindingFlags.DoNotWrapExceptions, null, args, null));
    }
}
