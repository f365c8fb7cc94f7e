namespace Granary.Index.Text.Tokens;

/// <summary>The Word_Break property of a code point (UAX 29, table 3).</summary>
internal enum WordBreakClass : byte
{
    Other,
    CR,
    LF,
    Newline,
    Extend,
    Zwj,
    Format,
    RegionalIndicator,
    Katakana,
    HebrewLetter,
    ALetter,
    SingleQuote,
    DoubleQuote,
    MidNumLet,
    MidLetter,
    MidNum,
    Numeric,
    ExtendNumLet,
    WSegSpace,

    /// <summary>A flag beside the class: Extended_Pictographic.</summary>
    Pictographic = 0x80,
}
