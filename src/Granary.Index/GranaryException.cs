namespace Granary.Index;

/// <summary>What kind of failure a <see cref="GranaryException"/> reports; each maps to one HTTP status.</summary>
public enum ErrorKind
{
    /// <summary>The request cannot be understood or contradicts the collection (400).</summary>
    BadInput,

    /// <summary>The request makes no sense, whatever the collection holds (400).</summary>
    BadRequest,

    /// <summary>The request is well formed but a value is outside its limits (422).</summary>
    Validation,

    /// <summary>A collection, point, vector or other named thing does not exist (404).</summary>
    NotFound,

    /// <summary>The thing to be created exists already (409).</summary>
    Conflict,

    /// <summary>The key given may not do this (403).</summary>
    Forbidden,

    /// <summary>The time limit passed (408).</summary>
    Timeout,

    /// <summary>The queue is full; try again after <see cref="GranaryException.RetryAfter"/> (429).</summary>
    TooManyRequests,

    /// <summary>A partition or replica cannot answer now (503).</summary>
    Unavailable,

    /// <summary>The storage has no room left or is read-only (507).</summary>
    InsufficientStorage,

    /// <summary>The stored data is damaged; the message names the file and the offset (500).</summary>
    Corrupted,

    /// <summary>A fault of the server's own (500).</summary>
    Internal,
}

/// <summary>An error with a message fit for the caller: it names the field, the value and the limit.</summary>
public sealed class GranaryException : Exception
{
    /// <summary>Makes an error of a kind.</summary>
    public GranaryException(ErrorKind kind, string message, Exception? inner = null) : base(message, inner) => Kind = kind;

    /// <summary>What kind of failure this is.</summary>
    public ErrorKind Kind { get; }

    /// <summary>How long to wait before trying again, for <see cref="ErrorKind.TooManyRequests"/>.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>A <see cref="ErrorKind.BadInput"/> error.</summary>
    public static GranaryException BadInput(string message) => new(ErrorKind.BadInput, message);

    /// <summary>A <see cref="ErrorKind.Validation"/> error.</summary>
    public static GranaryException Validation(string message) => new(ErrorKind.Validation, message);

    /// <summary>A <see cref="ErrorKind.NotFound"/> error.</summary>
    public static GranaryException NotFound(string message) => new(ErrorKind.NotFound, message);
}
