// hnswlib of Debian's libhnswlib-dev, compiled for this machine.
#include <hnswlib/hnswlib.h>
#include <memory>
#include "driver.hpp"

struct Hnswlib final : Peer {
    std::unique_ptr<hnswlib::SpaceInterface<float>> space;
    std::unique_ptr<hnswlib::HierarchicalNSW<float>> index;

    void load(const std::string& metric) override {
        bool euclid = metric == "euclid";
        if (!euclid) {
            base.normalise();
            queries.normalise();
        }
        base.pad(16);
        queries.pad(16);
        index.reset();
        if (euclid)
            space = std::make_unique<hnswlib::L2Space>(base.dims);
        else
            space = std::make_unique<hnswlib::InnerProductSpace>(base.dims);
    }

    void build(const Request& request) override {
        index = std::make_unique<hnswlib::HierarchicalNSW<float>>(
            space.get(), base.count, request.number("m", 16), request.number("ef_construct", 200));
        index->addPoint(base[0], 0);
        in_parallel(base.count - 1, request.number("threads", 1), [&](size_t i) { index->addPoint(base[i + 1], i + 1); });
    }

    void effort(const Request& request) override { index->setEf(request.number("ef", 100)); }

    void search(size_t query, size_t k, std::vector<long>& ids) override {
        auto found = index->searchKnn(queries[query], k);
        ids.resize(found.size());
        for (size_t i = found.size(); i > 0; i--, found.pop())
            ids[i - 1] = long(found.top().second);
    }
};

int main() {
    Hnswlib peer;
#if defined(USE_AVX512)
    const char* path = "AVX-512";
#elif defined(USE_AVX)
    const char* path = "AVX";
#else
    const char* path = "SSE";
#endif
    return run(peer, "hnswlib", "Debian libhnswlib-dev",
               std::string("g++ -O3 -march=native, float32, ") + path + " distances, rows padded to a multiple of 16 dimensions");
}
