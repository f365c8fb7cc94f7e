using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Granary.Index.Vectors;

internal static unsafe partial class FloatKernels
{
    /// <summary>How one pair of elements adds to a lane; the same arithmetic at every width.</summary>
    internal interface IStep
    {
        /// <summary>Adds one pair.</summary>
        static abstract float Add(float sum, float a, float b);

        /// <summary>Adds four pairs.</summary>
        static abstract Vector128<float> Add(Vector128<float> sum, Vector128<float> a, Vector128<float> b);

        /// <summary>Adds eight pairs.</summary>
        static abstract Vector256<float> Add(Vector256<float> sum, Vector256<float> a, Vector256<float> b);

        /// <summary>Adds sixteen pairs.</summary>
        static abstract Vector512<float> Add(Vector512<float> sum, Vector512<float> a, Vector512<float> b);
    }

    /// <summary>sum + a b, rounded once.</summary>
    internal readonly struct DotStep : IStep
    {
        /// <inheritdoc/>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static float Add(float sum, float a, float b) => MathF.FusedMultiplyAdd(a, b, sum);

        /// <inheritdoc/>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector128<float> Add(Vector128<float> sum, Vector128<float> a, Vector128<float> b) =>
            Vector128.FusedMultiplyAdd(a, b, sum);

        /// <inheritdoc/>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<float> Add(Vector256<float> sum, Vector256<float> a, Vector256<float> b) =>
            Vector256.FusedMultiplyAdd(a, b, sum);

        /// <inheritdoc/>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Add(Vector512<float> sum, Vector512<float> a, Vector512<float> b) =>
            Vector512.FusedMultiplyAdd(a, b, sum);
    }

    /// <summary>sum + (a - b)^2, the square and the sum rounded once.</summary>
    internal readonly struct EuclidStep : IStep
    {
        /// <inheritdoc/>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static float Add(float sum, float a, float b) => MathF.FusedMultiplyAdd(a - b, a - b, sum);

        /// <inheritdoc/>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector128<float> Add(Vector128<float> sum, Vector128<float> a, Vector128<float> b)
        {
            var d = a - b;
            return Vector128.FusedMultiplyAdd(d, d, sum);
        }

        /// <inheritdoc/>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<float> Add(Vector256<float> sum, Vector256<float> a, Vector256<float> b)
        {
            var d = a - b;
            return Vector256.FusedMultiplyAdd(d, d, sum);
        }

        /// <inheritdoc/>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Add(Vector512<float> sum, Vector512<float> a, Vector512<float> b)
        {
            var d = a - b;
            return Vector512.FusedMultiplyAdd(d, d, sum);
        }
    }

    /// <summary>sum + |a - b|.</summary>
    internal readonly struct ManhattanStep : IStep
    {
        /// <inheritdoc/>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static float Add(float sum, float a, float b) => sum + MathF.Abs(a - b);

        /// <inheritdoc/>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector128<float> Add(Vector128<float> sum, Vector128<float> a, Vector128<float> b) => sum + Vector128.Abs(a - b);

        /// <inheritdoc/>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<float> Add(Vector256<float> sum, Vector256<float> a, Vector256<float> b) => sum + Vector256.Abs(a - b);

        /// <inheritdoc/>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Add(Vector512<float> sum, Vector512<float> a, Vector512<float> b) => sum + Vector512.Abs(a - b);
    }
}
