using System.Text;
using Granary.Index.Payload;

namespace Granary.Index.Tests.Payload;

public sealed class PayloadStoreTests
{
    [Fact]
    public void Payloads_of_any_size_are_kept_freed_and_survive_a_reload()
    {
        var random = new Random(7);
        using var store = new PayloadStore();
        var model = new Dictionary<int, byte[]>();
        for (var step = 0; step < 4000; step++)
        {
            var slot = random.Next(20_000);
            if (model.Remove(slot))
                store.Free(slot);
            var json = new byte[step % 500 == 0 ? 2_000_000 : random.Next(3000)];
            random.NextBytes(json);
            store.Set(slot, json);
            model[slot] = json;
        }

        using var image = new MemoryStream();
        store.Save(image);
        image.Position = 0;
        using var loaded = PayloadStore.Load(image);
        Assert.Equal(model.Values.Sum(static v => (long)v.Length), store.UsedBytes);
        Assert.Equal(store.UsedBytes, loaded.UsedBytes);
        foreach (var (slot, json) in model)
        {
            Assert.True(store.Get(slot).SequenceEqual(json));
            Assert.True(loaded.Get(slot).SequenceEqual(json));
        }
    }

    [Fact]
    public void Freed_memory_is_used_again()
    {
        using var store = new PayloadStore();
        var json = Encoding.UTF8.GetBytes("{\"a\":\"" + new string('x', 1000) + "\"}");
        for (var slot = 0; slot < 2000; slot++)
        {
            store.Set(slot, json);
            if (slot >= 10)
                store.Free(slot - 10);
        }

        Assert.Equal(1 << 20, store.Bytes);
        Assert.Equal(10 * json.Length, store.UsedBytes);
        Assert.True(store.Get(5).IsEmpty);
        Assert.True(store.Get(1_000_000).IsEmpty);
    }

    [Fact]
    public void A_torn_image_is_refused()
    {
        using var store = new PayloadStore();
        store.Set(3, "{\"a\":1}"u8);
        using var image = new MemoryStream();
        store.Save(image);
        using var torn = new MemoryStream(image.ToArray()[..^2]);
        Assert.Equal(ErrorKind.Corrupted, Assert.Throws<GranaryException>(() => PayloadStore.Load(torn)).Kind);
    }
}
