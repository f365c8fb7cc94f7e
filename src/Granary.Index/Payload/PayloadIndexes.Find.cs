using Granary.Index.Filters;
using Granary.Index.Text;

namespace Granary.Index.Payload;

public sealed partial class PayloadIndexes
{
    internal ITextAnalyzer? FindAnalyzer(JsonPath path) => null;

    internal IndexMatch? Find(JsonPath path, Condition condition, ValueTest test) => null;
}
