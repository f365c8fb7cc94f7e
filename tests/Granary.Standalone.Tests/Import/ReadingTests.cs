using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Granary.Index;
using Granary.Standalone.Import;
using Granary.Standalone.Import.Reading;

namespace Granary.Standalone.Tests.Import;

public sealed class ReadingTests : IDisposable
{
    private static readonly InputFile File = new("input", InputFormat.JsonLines);
    private static readonly ImportOptions Options = new() { Paths = [], Collection = "c" };

    private readonly StringWriter _complaints = new();

    public void Dispose() => _complaints.Dispose();

    [Fact]
    public async Task JSON_lines_become_points_and_bad_lines_are_told_with_their_number()
    {
        var records = await ReadAsync(InputFormat.JsonLines,
            "\uFEFF{\"id\":7,\"text\":\"a\",\"vector\":[1,2]}\r\n\nnonsense\n[1]\n{\"id\":\"x\"}\n{\"vector\":[1,\"b\"]}\n{\"id\":-1}");
        Assert.Equal([new PointId(7), NameId.OfText("x"), NameId.Of(File.Name, 7)], records.Select(static r => r.Id));
        Assert.Equal([1f, 2f], records[0].Vector!);
        Assert.Equal("""{"id":7,"text":"a"}""", records[0].Payload.ToString());
        var lines = _complaints.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["input:3:", "input:4:", "input:6:"], lines.Select(static l => l[..8]));
        Assert.Contains("field `vector[1]`: a finite number is needed", lines[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Half_a_surrogate_pair_costs_its_own_line_only()
    {
        var records = await ReadAsync(InputFormat.JsonLines, """
            {"id":1,"text":"a"}
            {"id":2,"text":"cut \ud83d"}
            {"id":3,"\ud83d":"b"}
            {"id":4,"text":"c"}
            """);
        Assert.Equal([new PointId(1), new PointId(4)], records.Select(static r => r.Id));
        var lines = _complaints.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["input:2:", "input:3:"], lines.Select(static l => l[..8]));
    }

    [Theory]
    [InlineData("1.5", "1.5")]
    [InlineData("-0.25", "-0.25")]
    [InlineData("1.10", "\"1.10\"")]
    [InlineData("12345678901234567890", "\"12345678901234567890\"")]
    [InlineData("1e5", "\"1e5\"")]
    public async Task A_CSV_number_is_kept_as_a_number_only_when_nothing_of_it_is_lost(string written, string expected)
    {
        var records = await ReadAsync(InputFormat.Csv, $"id,size\r\n1,{written}\r\n");
        Assert.Equal($$"""{"id":1,"size":{{expected}}}""", records.Single().Payload.ToString());
    }

    [Fact]
    public async Task A_line_past_the_limit_is_passed_over_and_the_next_one_read()
    {
        var lines = new LineReader(new MemoryStream(Encoding.UTF8.GetBytes($"{new string('x', 300_000)}\nshort\n")), 100_000);
        Assert.True(await lines.ReadAsync(default));
        Assert.True(lines.TooLong);
        Assert.True(await lines.ReadAsync(default));
        Assert.Equal((2, "short", false), (lines.Number, Encoding.UTF8.GetString(lines.Line.Span), lines.TooLong));
        Assert.False(await lines.ReadAsync(default));
    }

    [Fact]
    public void Lines_of_any_lengths_are_read_as_they_were_written() => Prop.ForAll(
        ArbMap.Default.ArbFor<int[]>(),
        lengths =>
        {
            var expected = lengths.Select(static (n, i) => new string((char)('a' + (i % 26)), Math.Abs(n % 40) * 1000)).ToList();
            var reader = new LineReader(
                new MemoryStream(Encoding.UTF8.GetBytes(string.Concat(expected.Select(static l => l + "\n")))), 100_000);
            var read = new List<string>();
            while (reader.ReadAsync(default).AsTask().GetAwaiter().GetResult())
                read.Add(Encoding.UTF8.GetString(reader.Line.Span));
            return read.SequenceEqual(expected);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public async Task CSV_follows_RFC_4180_and_reads_numbers()
    {
        var records = await ReadAsync(InputFormat.Csv,
            "id,text,size,code,flag,vector\r\n1,\"a, \"\"b\"\"\nc\",1.5,007,true,\"[1,2]\"\r\n2,too short\r\n3,d,-4,,false,\r\n");
        Assert.Equal("""{"id":1,"text":"a, \u0022b\u0022\nc","size":1.5,"code":"007","flag":true}""", records[0].Payload.ToString());
        Assert.Equal([1f, 2f], records[0].Vector!);
        Assert.Equal("""{"id":3,"text":"d","size":-4,"flag":false}""", records[1].Payload.ToString());
        Assert.Equal($"input:4: the row has 2 columns, the header 6{Environment.NewLine}", _complaints.ToString());
    }

    [Fact]
    public void Rows_written_with_quotes_are_read_as_they_were() => Prop.ForAll(
        ArbMap.Default.ArbFor<string[][]>(),
        rows =>
        {
            var expected = rows.Where(static r => r is { Length: > 0 }).Select(static r => r.Select(static f => f ?? "").ToArray())
                .ToList();
            var text = string.Concat(expected.Select(
                static r => string.Join(',', r.Select(static f => $"\"{f.Replace("\"", "\"\"", StringComparison.Ordinal)}\"")) + "\r\n"));
            var reader = new CsvRows(new StringReader(text));
            foreach (var row in expected)
            {
                if (!reader.ReadAsync(default).AsTask().GetAwaiter().GetResult() || reader.Problem is not null
                    || !reader.Fields.SequenceEqual(row))
                    return false;
            }

            return !reader.ReadAsync(default).AsTask().GetAwaiter().GetResult();
        }).QuickCheckThrowOnFailure();

    [Fact]
    public async Task Bytes_that_are_not_UTF_8_cost_their_own_row_only()
    {
        byte[] text =
        [
            .. "id,text\n1,good\n2,b"u8, 0xFF, .. "d\n3,\"two\nlines "u8, 0xC3, .. "\"\n4,\ud83d\udc00 fine\n5,cut "u8, 0xF0, 0x9F,
        ];
        var records = await ReadAsync(InputFormat.Csv, text);
        Assert.Equal([new PointId(1), new PointId(4)], records.Select(static r => r.Id));
        Assert.Equal("\ud83d\udc00 fine", records[1].Payload.Text("text"));
        Assert.Equal(string.Concat(new[] { 3, 4, 7 }.Select(
            static line => $"input:{line}: column 2: the text is not valid UTF-8{Environment.NewLine}")), _complaints.ToString());
    }

    [Fact]
    public async Task Bytes_that_are_not_UTF_8_cost_their_own_chunk_of_a_text_file_only()
    {
        var sentences = Enumerable.Range(0, 40).Select(static i => $"This is sentence number {i} of a text that is split. ").ToList();
        byte[] text =
            [.. Encoding.UTF8.GetBytes(string.Concat(sentences[..30])), 0xFE, .. Encoding.UTF8.GetBytes(string.Concat(sentences[30..]))];
        var options = Options with { ChunkSize = 200, ChunkOverlap = 0 };
        var all = await ReadAsync(InputFormat.Text, Encoding.UTF8.GetBytes(string.Concat(sentences)), options);
        var records = await ReadAsync(InputFormat.Text, text, options);
        Assert.InRange(records.Count, all.Count - 2, all.Count - 1);
        Assert.Contains("number 39 ", records[^1].Payload.Text("text"), StringComparison.Ordinal);
        Assert.Equal($"input:1: the text is not valid UTF-8{Environment.NewLine}", _complaints.ToString());
    }

    [Fact]
    public void Text_is_decoded_whatever_the_pieces_it_comes_in_and_damage_is_seen_wherever_it_stands() => Prop.ForAll(
        ArbMap.Default.ArbFor<int[]>(), ArbMap.Default.ArbFor<int>(),
        (runes, seed) =>
        {
            var text = string.Concat(runes.Select(static n =>
                Rune.TryCreate((int)((uint)n % 0x110000), out var rune) ? rune.ToString() : "\u00E9"));
            var random = new Random(seed);
            Encoding[] encodings = [new UTF8Encoding(false), new UTF8Encoding(true), Encoding.Unicode, Encoding.BigEndianUnicode];
            foreach (var encoding in encodings)
            {
                byte[] bytes = [.. encoding.GetPreamble(), .. encoding.GetBytes(text)];
                var marked = text.StartsWith('\uFEFF') && encoding.GetPreamble().Length == 0 ? text[1..] : text;
                if (Decode(bytes, random) != marked || MarkingReader.IsDamaged(marked))
                    return false;
            }

            var utf8 = Encoding.UTF8.GetBytes(text);
            var at = random.Next(utf8.Length + 1);
            return MarkingReader.IsDamaged(Decode([.. "a "u8, .. utf8[..at], 0xFF, .. utf8[at..]], random));
        }).QuickCheckThrowOnFailure();

    private static string Decode(byte[] bytes, Random random)
    {
        using var reader = new MarkingReader(new Dribble(bytes, random));
        var text = new StringBuilder();
        var buffer = new char[3];
        while (reader.ReadAsync(buffer.AsMemory(0, random.Next(1, 4))).AsTask().GetAwaiter().GetResult() is var count and > 0)
            text.Append(buffer, 0, count);
        return text.ToString();
    }

    /// <summary>Gives a few bytes at a time, as a network does.</summary>
    private sealed class Dribble(byte[] bytes, Random random) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            ValueTask.FromResult(Read(buffer.Span[..Math.Min(buffer.Length, random.Next(1, 5))]));
    }

    [Fact]
    public async Task Chunks_end_at_sentences_and_begin_with_the_last_sentence_of_the_one_before()
    {
        var text = string.Join(' ', Enumerable.Range(1, 40).Select(static i => $"Sentence number {i:00} says something."));
        var chunks = await ChunksAsync(text, 200, 60);
        Assert.All(chunks, static chunk =>
            Assert.True(chunk.Length <= 200 && chunk.EndsWith('.') && chunk.StartsWith("Sentence", StringComparison.Ordinal)));
        for (var i = 1; i < chunks.Count; i++)
            Assert.Contains(chunks[i][..33], chunks[i - 1], StringComparison.Ordinal);
        for (var i = 1; i <= 40; i++)
            Assert.Contains(chunks, chunk => chunk.Contains($"number {i:00} says", StringComparison.Ordinal));
    }

    [Fact]
    public void No_word_of_a_text_is_lost_by_splitting_it() => Prop.ForAll(
        ArbMap.Default.ArbFor<int[]>(),
        lengths =>
        {
            var words = lengths.Select(static (n, i) => $"w{i}{new string('x', Math.Abs(n % 30))}{(n % 5 == 0 ? "." : "")}").ToList();
            var chunks = ChunksAsync(string.Join(' ', words), 100, 20).GetAwaiter().GetResult();
            var found = chunks.SelectMany(static c => c.Split(' ')).ToHashSet();
            return chunks.TrueForAll(static c => c.Length <= 100) && words.TrueForAll(found.Contains);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public async Task A_text_without_blanks_is_split_at_the_limit_and_ends()
    {
        var chunks = await ChunksAsync(new string('x', 1050), 100, 20);
        Assert.Equal(11, chunks.Count);
        Assert.Equal(1050, chunks.Sum(static c => c.Length));
    }

    [Fact]
    public void Ids_of_names_are_UUIDs_of_version_5_and_stay_the_same()
    {
        var id = NameId.Of("a#1");
        Assert.Equal(id, NameId.Of("a", 1));
        Assert.NotEqual(id, NameId.Of("a", 2));
        Assert.Equal('5', id.ToString()[14]);
        Assert.Equal(new PointId(12), NameId.OfText("12"));
    }

    private static async Task<List<string>> ChunksAsync(string text, int size, int overlap)
    {
        var chunker = new SentenceChunker(new StringReader(text), size, overlap);
        var chunks = new List<string>();
        while (await chunker.ReadAsync(default) is { } chunk)
            chunks.Add(chunk);
        return chunks;
    }

    private Task<List<ImportRecord>> ReadAsync(InputFormat format, string text) => ReadAsync(format, Encoding.UTF8.GetBytes(text));

    private async Task<List<ImportRecord>> ReadAsync(InputFormat format, byte[] text, ImportOptions? options = null)
    {
        var reader = RecordReader.For(format, options ?? Options, new ImportReport(_complaints));
        var records = new List<ImportRecord>();
        await foreach (var record in reader.ReadAsync(File, new MemoryStream(text), default))
            records.Add(record);
        return records;
    }
}
