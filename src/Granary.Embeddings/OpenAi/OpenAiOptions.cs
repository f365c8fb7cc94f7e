namespace Granary.Embeddings;

/// <summary>Where an OpenAI-compatible endpoint is and how it is asked.</summary>
public sealed record OpenAiOptions
{
    /// <summary>The base address, to which <c>embeddings</c> is appended, such as <c>https://api.openai.com/v1</c>.</summary>
    public required Uri BaseUrl { get; init; }

    /// <summary>The model's name.</summary>
    public required string Model { get; init; }

    /// <summary>Sent as a bearer token; null for none.</summary>
    public string? ApiKey { get; init; }

    /// <summary>Asks the endpoint for vectors of this size; null for the model's own.</summary>
    public int? Dimensions { get; init; }

    /// <summary>Time limit of one request.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Texts in one request.</summary>
    public int BatchSize { get; init; } = 64;
}
