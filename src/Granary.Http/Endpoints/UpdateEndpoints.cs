using System.Diagnostics;
using System.Text.Json;
using Granary.Collections;
using Granary.Http.Hosting;
using Granary.Http.Json;
using Granary.Http.Requests;
using Granary.Http.StrictMode;
using Granary.Index;
using Granary.Index.Filters;
using Granary.Index.Operations;

namespace Granary.Http.Endpoints;

/// <summary>Changes of points.</summary>
internal static class UpdateEndpoints
{
    /// <summary>Reads a body into operations; returns the filters it targets.</summary>
    private delegate List<Filter?> Reading(ICollection collection, StrictModeSettings? strict, ReadOnlyMemory<byte> body,
        OperationWriter operations);

    /// <summary>Binds the endpoints.</summary>
    public static void Map(ApiRouter router)
    {
        const string Points = "/collections/{collection_name}/points";
        router.Map("PUT", Points, Access.Write, "Inserts or replaces points", call => WriteAsync(call, Upsert));
        router.Map("POST", Points + "/delete", Access.Write, "Deletes points", call => WriteAsync(call, Each(OperationKind.Delete)));
        router.Map("PUT", Points + "/vectors", Access.Write, "Replaces vectors of points", call => WriteAsync(call, UpdateVectors));
        router.Map("POST", Points + "/vectors/delete", Access.Write, "Removes vectors of points", call =>
            WriteAsync(call, Each(OperationKind.DeleteVectors)));
        router.Map("POST", Points + "/payload", Access.Write, "Merges into the payload of points", call =>
            WriteAsync(call, Each(OperationKind.SetPayload)));
        router.Map("PUT", Points + "/payload", Access.Write, "Replaces the payload of points", call =>
            WriteAsync(call, Each(OperationKind.OverwritePayload)));
        router.Map("POST", Points + "/payload/delete", Access.Write, "Removes payload keys", call =>
            WriteAsync(call, Each(OperationKind.DeletePayload)));
        router.Map("POST", Points + "/payload/clear", Access.Write, "Removes the payload of points", call =>
            WriteAsync(call, Each(OperationKind.ClearPayload)));
        router.Map("POST", Points + "/batch", Access.Write, "Several changes at once, all or none", BatchAsync);
    }

    private static async Task WriteAsync(ApiCall call, Reading read)
    {
        var (result, _) = await ApplyAsync(call, read);
        await call.AnswerAsync(result);
    }

    private static async Task BatchAsync(ApiCall call)
    {
        var (result, count) = await ApplyAsync(call, Batch);
        await call.AnswerAsync((result, count), static (json, answer) =>
        {
            json.Raw('[');
            for (var i = 0; i < answer.count; i++)
            {
                if (i > 0)
                    json.Raw(',');
                ApiCall.WriteUpdate(json, answer.result);
            }

            json.Raw(']');
        });
    }

    private static async ValueTask<(UpdateResult Result, int Changes)> ApplyAsync(ApiCall call, Reading read)
    {
        var options = call.WriteOptions;
        var name = call.CollectionName;
        using var body = await call.ReadBodyAsync();
        var started = Stopwatch.GetTimestamp();
        var collection = await call.Database.GetCollectionAsync(name, call.Cancellation);
        var known = collection.Config;
        var strict = StrictModeSettings.Of(known);
        var batch = new WriteBatch();
        List<Filter?> filters;
        try
        {
            filters = read(collection, strict, body.Bytes, batch.Operations);
        }
        catch (GranaryException e) when (e.Kind == ErrorKind.BadInput)
        {
            // It may be right by settings that another process made and this one has not heard of.
            await collection.RefreshAsync(call.Cancellation);
            collection = await call.Database.GetCollectionAsync(name, call.Cancellation);
            if (ReferenceEquals(collection.Config, known))
                throw;
            strict = StrictModeSettings.Of(collection.Config);
            batch = new WriteBatch();
            filters = read(collection, strict, body.Bytes, batch.Operations);
        }

        batch.ParseTime = Stopwatch.GetElapsedTime(started);
        if (strict is not null)
            await CheckAsync(call, collection, strict, filters, batch, options);
        if (read == UpdateVectors && options.Wait)
            await RequirePointsAsync(collection, batch, call.Cancellation);
        var result = batch.Operations.Count == 0
            ? new UpdateResult(0, options.Wait ? UpdateStatus.Completed : UpdateStatus.Acknowledged)
            : await collection.WriteAsync(batch, options, call.Cancellation);
        return (result, filters.Count);
    }

    /// <summary>A caller who waits for new vectors of a point is told when there is no such point.</summary>
    private static async ValueTask RequirePointsAsync(ICollection collection, WriteBatch batch, CancellationToken cancellation)
    {
        var ids = new List<PointId>();
        foreach (var operation in new OperationSequence(batch.Operations.Written.Span))
            ids.Add(new OperationView(operation).Id);
        var found = await collection.RetrieveAsync(ids, PayloadSelector.None, VectorSelector.None, null, cancellation);
        if (found.Count < ids.Count && ids.Except(found.Select(static p =>
            p.Id)).FirstOrDefault() is { Kind: not PointIdKind.None } missing)
            throw Errors.PointNotFound(missing);
    }

    private static async ValueTask CheckAsync(
        ApiCall call, ICollection collection, StrictModeSettings strict, List<Filter?> filters, WriteBatch batch, WriteOptions options)
    {
        var check = new StrictModeCheck(strict, collection.Config);
        check.Timeout(options.Timeout);
        foreach (var filter in filters)
            check.WriteFilter(filter);
        strict.TakeWrite(call.State, collection.Name, batch.Operations.Count);
        if (strict.LimitsSize && batch.Grows())
            strict.CheckSize(await collection.GetInfoAsync(call.Cancellation));
    }

    private static List<Filter?> Upsert(ICollection collection, StrictModeSettings? strict, ReadOnlyMemory<byte> body,
        OperationWriter operations)
    {
        var cursor = new JsonCursor(body.Span);
        new PointsReader(collection.Config, strict, operations).Upsert(ref cursor);
        cursor.End();
        return [null];
    }

    private static List<Filter?> UpdateVectors(ICollection collection, StrictModeSettings? strict, ReadOnlyMemory<byte> body,
        OperationWriter operations)
    {
        var cursor = new JsonCursor(body.Span);
        new PointsReader(collection.Config, strict, operations).UpdateVectors(ref cursor);
        cursor.End();
        return [null];
    }

    private static Reading Each(OperationKind kind) => (collection, _, body, operations) =>
    {
        var cursor = new JsonCursor(body.Span);
        var element = cursor.ReadElement();
        cursor.End();
        return [Read(kind, element, collection, operations)];
    };

    private static Filter? Read(OperationKind kind, JsonElement body, ICollection collection, OperationWriter operations) => kind switch
    {
        OperationKind.Delete or OperationKind.ClearPayload => UpdateBodies.Selected(body, kind, operations),
        OperationKind.SetPayload or OperationKind.OverwritePayload => UpdateBodies.Payload(body, kind, operations),
        OperationKind.DeletePayload => UpdateBodies.DeletePayload(body, operations),
        _ => UpdateBodies.DeleteVectors(body, collection.Config.Schema, operations),
    };

    private static List<Filter?> Batch(ICollection collection, StrictModeSettings? strict, ReadOnlyMemory<byte> body,
        OperationWriter operations)
    {
        var filters = new List<Filter?>();
        var points = new PointsReader(collection.Config, strict, operations);
        var cursor = new JsonCursor(body.Span);
        var found = false;
        var first = true;
        cursor.BeginObject("struct UpdateOperations");
        while (cursor.NextProperty(ref first, out var name))
        {
            if (!name.SequenceEqual("operations"u8))
            {
                cursor.Skip();
                continue;
            }

            found = true;
            var firstItem = true;
            cursor.BeginArray("a sequence");
            while (cursor.NextItem(ref firstItem))
                filters.Add(ReadOne(ref cursor, points, collection, operations));
        }

        if (!found)
            throw cursor.Fail("missing field `operations`");
        cursor.End();
        return filters;
    }

    private static Filter? ReadOne(ref JsonCursor cursor, PointsReader points, ICollection collection, OperationWriter operations)
    {
        Filter? filter = null;
        var first = true;
        var count = 0;
        cursor.BeginObject("enum UpdateOperation");
        while (cursor.NextProperty(ref first, out var name))
        {
            if (++count > 1)
                throw cursor.Fail("an operation of a batch must be exactly one");
            switch (System.Text.Encoding.UTF8.GetString(name))
            {
                case "upsert":
                    points.Upsert(ref cursor);
                    break;
                case "update_vectors":
                    points.UpdateVectors(ref cursor);
                    break;
                case "delete":
                    filter = Read(OperationKind.Delete, cursor.ReadElement(), collection, operations);
                    break;
                case "clear_payload":
                    filter = Read(OperationKind.ClearPayload, cursor.ReadElement(), collection, operations);
                    break;
                case "set_payload":
                    filter = Read(OperationKind.SetPayload, cursor.ReadElement(), collection, operations);
                    break;
                case "overwrite_payload":
                    filter = Read(OperationKind.OverwritePayload, cursor.ReadElement(), collection, operations);
                    break;
                case "delete_payload":
                    filter = Read(OperationKind.DeletePayload, cursor.ReadElement(), collection, operations);
                    break;
                case "delete_vectors":
                    filter = Read(OperationKind.DeleteVectors, cursor.ReadElement(), collection, operations);
                    break;
                case var other:
                    throw cursor.Fail($"data did not match any variant of untagged enum UpdateOperation: `{other}`");
            }
        }

        return count == 1 ? filter : throw cursor.Fail("data did not match any variant of untagged enum UpdateOperation");
    }
}
