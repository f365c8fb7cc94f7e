using System.Globalization;
using System.Text;
using Granary.Index.Text.Tokens;

namespace Granary.Index.Tests.Text;

public sealed class WordBreaksTests
{
    [Fact]
    public void Boundaries_are_those_of_the_standards_test_file()
    {
        var wrong = new List<string>();
        var cases = 0;
        foreach (var line in Vectors.Lines("WordBreakTest.txt"))
        {
            cases++;
            var text = new StringBuilder();
            var expected = new List<int>();
            foreach (var part in line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                if (part == "÷")
                    expected.Add(text.Length);
                else if (part != "×")
                    text.Append(char.ConvertFromUtf32(int.Parse(part, NumberStyles.HexNumber, CultureInfo.InvariantCulture)));
            }

            var found = new List<int> { 0 };
            var whole = text.ToString();
            while (found[^1] < whole.Length)
                found.Add(WordBreaks.Next(whole, found[^1]));
            if (!expected.SequenceEqual(found))
                wrong.Add($"{line}: {string.Join(',', found)}");
        }

        Assert.Equal(1823, cases);
        Assert.Empty(wrong);
    }
}
