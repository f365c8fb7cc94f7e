using System.Runtime.Intrinsics;

namespace Granary.Index.Vectors;

/// <summary>
/// Turns vectors, all in the same way, so that no direction is special: three times random signs and a Hadamard transform of each block,
/// between them values are dealt out over the blocks. After two, what was in one block alone would still lie in patterns: of 4,096
/// dimensions of which 64 are in use, a block has four values then. Lengths and products stay.
/// </summary>
internal sealed unsafe class SignTurn
{
    /// <summary>Values of a block.</summary>
    public const int Block = 128;

    private const int Rounds = 3;
    private const float Scale = 0.088388347648318447f; // 1 / sqrt(Block)
    private readonly int _padded;
    private readonly float[] _signs;

    /// <summary>For vectors of so many values, a multiple of <see cref="Block"/>.</summary>
    public SignTurn(int padded)
    {
        _padded = padded;
        _signs = new float[Rounds * padded];
        var state = 0x9E37_79B9_7F4A_7C15UL;
        for (var i = 0; i < _signs.Length; i++)
        {
            // xorshift64*
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            _signs[i] = (state * 0x2545_F491_4F6C_DD1DUL) >> 63 == 0 ? Scale : -Scale;
        }
    }

    /// <summary>Turns the values in place; uses as many at <paramref name="spare"/>.</summary>
    public void Turn(float* values, float* spare)
    {
        Round(values, 0);
        for (var round = 1; round < Rounds; round++)
        {
            Deal(values, spare);
            Round(values, round * _padded);
        }
    }

    private void Deal(float* values, float* spare)
    {
        var blocks = _padded / Block;
        if (blocks == 1)
            return;
        new ReadOnlySpan<float>(values, _padded).CopyTo(new Span<float>(spare, _padded));
        for (var b = 0; b < blocks; b++)
        {
            for (var i = 0; i < Block; i++)
                values[(i * blocks) + b] = spare[(b * Block) + i];
        }
    }

    private void Round(float* values, int from)
    {
        for (var i = 0; i < _padded; i += Vector256<float>.Count)
            (Vector256.Load(values + i) * Vector256.Create(_signs.AsSpan(from + i))).Store(values + i);
        for (var block = 0; block < _padded; block += Block)
            Transform(values + block);
    }

    // Exactly Block values are read and written.
    private static void Transform(float* values)
    {
        for (var half = Block / 2; half >= Vector256<float>.Count; half >>= 1)
        {
            for (var i = 0; i < Block; i += 2 * half)
            {
                for (var j = i; j < i + half; j += Vector256<float>.Count)
                {
                    var a = Vector256.Load(values + j);
                    var b = Vector256.Load(values + j + half);
                    (a + b).Store(values + j);
                    (a - b).Store(values + j + half);
                }
            }
        }

        // Within a register: each lane and its partner; the second of a pair is subtracted.
        var by4 = Vector256.Create(1f, 1f, 1f, 1f, -1f, -1f, -1f, -1f);
        var by2 = Vector256.Create(1f, 1f, -1f, -1f, 1f, 1f, -1f, -1f);
        var by1 = Vector256.Create(1f, -1f, 1f, -1f, 1f, -1f, 1f, -1f);
        for (var i = 0; i < Block; i += Vector256<float>.Count)
        {
            var x = Vector256.Load(values + i);
            x = Vector256.Shuffle(x, Vector256.Create(4, 5, 6, 7, 0, 1, 2, 3)) + (x * by4);
            x = Vector256.Shuffle(x, Vector256.Create(2, 3, 0, 1, 6, 7, 4, 5)) + (x * by2);
            x = Vector256.Shuffle(x, Vector256.Create(1, 0, 3, 2, 5, 4, 7, 6)) + (x * by1);
            x.Store(values + i);
        }
    }
}
