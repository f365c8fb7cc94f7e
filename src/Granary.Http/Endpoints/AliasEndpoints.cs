using Granary.Collections;
using Granary.Http.Hosting;
using Granary.Http.Json;

namespace Granary.Http.Endpoints;

/// <summary>Aliases.</summary>
internal static class AliasEndpoints
{
    /// <summary>Binds the endpoints.</summary>
    public static void Map(ApiRouter router)
    {
        router.Map("GET", "/aliases", Access.Read, "All aliases", static call => ListAsync(call, null));
        router.Map("GET", "/collections/{collection_name}/aliases", Access.Read, "Aliases of a collection", static call =>
            ListAsync(call, call.CollectionName));
        router.Map("POST", "/collections/aliases", Access.Write, "Changes aliases, all or none", UpdateAsync);
    }

    private static async Task ListAsync(ApiCall call, string? collection)
    {
        var aliases = await call.Database.ListAliasesAsync(collection, call.Cancellation);
        await call.AnswerAsync(aliases, static (json, aliases) =>
        {
            json.Raw("{\"aliases\":["u8);
            for (var i = 0; i < aliases.Count; i++)
                json.Raw(i == 0 ? "{\"alias_name\":"u8
                    : ",{\"alias_name\":"u8).String(aliases[i].Alias).Raw(",\"collection_name\":"u8).String(aliases[i].Collection).Raw('}');
            json.Raw("]}"u8);
        });
    }

    private static async Task UpdateAsync(ApiCall call)
    {
        _ = call.Timeout;
        var fields = new JsonFields(await call.ReadJsonAsync());
        fields.Required("actions");
        var actions = fields.Items("actions").Select(static a => Read(new JsonFields(a, "actions"))).ToList();
        await call.Database.UpdateAliasesAsync(actions, call.Cancellation);
        await call.AnswerAsync(true);
    }

    private static AliasAction Read(JsonFields action)
    {
        if (action.Object("create_alias") is { } create)
            return new CreateAlias(create.RequiredText("collection_name"), Name(create, "alias_name"));
        if (action.Object("delete_alias") is { } delete)
            return new DeleteAlias(Name(delete, "alias_name"));
        if (action.Object("rename_alias") is { } rename)
            return new RenameAlias(Name(rename, "old_alias_name"), Name(rename, "new_alias_name"));
        throw ApiException.Format("data did not match any variant of untagged enum AliasOperations");
    }

    private static string Name(JsonFields fields, string field)
    {
        var name = fields.RequiredText(field);
        return name.Length is >= 1 and <= 255
            ? name
            : throw ApiException.Invalid(fields.PathOf(field), $"value {JsonText.Quote(name)} invalid, must be from 1 to 255 characters");
    }
}
