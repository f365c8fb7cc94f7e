using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Granary.Silo.Tests;

[Collection(OneSilo.Name)]
public sealed class DashboardTests(OneSilo silo)
{
    public static TheoryData<string?, string?, HttpStatusCode> Credentials => new()
    {
        { null, null, HttpStatusCode.Unauthorized },
        { "Bearer", "another-key", HttpStatusCode.Unauthorized },
        { "Basic", Basic("admin:another-key"), HttpStatusCode.Unauthorized },
        { "Basic", "not base64", HttpStatusCode.Unauthorized },
        { "Basic", Basic($"{OneSilo.Key}:"), HttpStatusCode.Unauthorized },
        { "Bearer", OneSilo.Key, HttpStatusCode.OK },
        { "Basic", Basic($"anybody:{OneSilo.Key}"), HttpStatusCode.OK },
    };

    [Theory]
    [MemberData(nameof(Credentials))]
    public async Task The_dashboard_asks_for_the_key(string? scheme, string? parameter, HttpStatusCode expected)
    {
        using var client = new HttpClient { BaseAddress = silo.AdminAddress };
        if (scheme is not null)
            client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", $"{scheme} {parameter}");
        foreach (var path in (string[])["/dashboard/", "/dashboard/DashboardCounters"])
        {
            using var answer = await client.GetAsync(path);
            Assert.Equal(expected, answer.StatusCode);
            // Browsers show their form only when asked to.
            Assert.Equal(
                expected == HttpStatusCode.Unauthorized ? ["Basic"] : [], answer.Headers.WwwAuthenticate.Select(static h => h.Scheme));
        }
    }

    [Fact]
    public async Task The_dashboard_is_on_the_admin_address_alone()
    {
        foreach (var path in (string[])["/dashboard", "/dashboard/", "/dashboard/DashboardCounters"])
        {
            using var answer = await silo.Rest.GetAsync(path);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }
    }

    [Fact]
    public async Task The_dashboard_knows_Granarys_grains()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(silo.AdminAddress, "/dashboard/GrainTypes"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", OneSilo.Key);
        using var client = new HttpClient();
        using var answer = await client.SendAsync(request);
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        var types = json.RootElement.GetRawText();
        foreach (var grain in (string[])["Catalog", "Collection", "Indexer", "Query", "Silo"])
            Assert.Contains($"Granary.Grains.{grain}Grain", types, StringComparison.Ordinal);
    }

    private static string Basic(string pair) => Convert.ToBase64String(Encoding.UTF8.GetBytes(pair));
}
