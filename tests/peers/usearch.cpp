// usearch from the headers that its npm package brings (node_modules/usearch), compiled for this machine with its own SIMD
// kernels (NumKong). Argument: f32, i8 for its scalar quantisation, or i8-scaled for int8 made
// here, every vector by its own largest value: its own quantisation uses few of the 256 values where dimensions are many.
#define USEARCH_USE_NUMKONG 1
#define NK_DYNAMIC_DISPATCH 1
#include <usearch/index_dense.hpp>
#include <cstring>
#include "driver.hpp"

using namespace unum::usearch;

struct Usearch final : Peer {
    index_dense_t index;
    bool quantised, scaled, euclid = false, bytes = false;
    std::vector<int8_t> base_bytes, query_bytes;

    Usearch(bool quantised, bool scaled) : quantised(quantised), scaled(scaled) {}

    // Bytes 0..255 lose nothing as int8 when 128 is taken off both sides; its own cast would normalise them.
    static std::vector<int8_t> shift(const Vectors& set) {
        std::vector<int8_t> bytes(set.values.size());
        for (size_t i = 0; i < bytes.size(); i++)
            bytes[i] = int8_t(int(set.values[i]) - 128);
        return bytes;
    }

    // Cosine does not see a vector's length.
    static std::vector<int8_t> scale(const Vectors& set) {
        std::vector<int8_t> bytes(set.values.size());
        for (size_t row = 0; row < set.count; row++) {
            float most = 0;
            for (size_t i = 0; i < set.dims; i++)
                most = std::max(most, std::abs(set[row][i]));
            for (size_t i = 0; i < set.dims && most > 0; i++)
                bytes[row * set.dims + i] = int8_t(std::lround(set[row][i] * 127 / most));
        }
        return bytes;
    }

    void load(const std::string& metric) override {
        euclid = metric == "euclid";
        bool shifted = quantised && euclid && base.bytes;
        bytes = shifted || (scaled && !euclid);
        if (quantised && euclid && !base.bytes)
            throw std::runtime_error("usearch i8 has no Euclidean distance of floats");
        if (shifted) {
            base_bytes = shift(base);
            query_bytes = shift(queries);
        } else if (bytes) {
            base_bytes = scale(base);
            query_bytes = scale(queries);
        } else if (!euclid) {
            base.normalise();
            queries.normalise();
        }
    }

    void build(const Request& request) override {
        int threads = request.number("threads", 1);
        index_dense_config_t config(request.number("m", 16), request.number("ef_construct", 200), 64);
        config.enable_key_lookups = false;
        metric_punned_t metric(base.dims, euclid ? metric_kind_t::l2sq_k : bytes ? metric_kind_t::cos_k : metric_kind_t::ip_k,
                               quantised ? scalar_kind_t::i8_k : scalar_kind_t::f32_k);
        auto made = index_dense_t::make(metric, config);
        if (!made)
            throw std::runtime_error(made.error.release());
        index = std::move(made.index);
        index.try_reserve(index_limits_t(base.count, std::max(threads, int(std::thread::hardware_concurrency()))));
        in_parallel(base.count, threads, [&](size_t i) {
            auto added = bytes ? index.add(i, reinterpret_cast<i8_t const*>(base_bytes.data() + i * base.dims))
                                 : index.add(i, base[i]);
            if (!added)
                throw std::runtime_error(added.error.release());
        });
    }

    void effort(const Request& request) override { index.change_expansion_search(request.number("ef", 64)); }

    void search(size_t query, size_t k, std::vector<long>& ids) override {
        auto found = bytes ? index.search(reinterpret_cast<i8_t const*>(query_bytes.data() + query * base.dims), k)
                             : index.search(queries[query], k);
        for (size_t i = 0; i < found.size(); i++)
            ids.push_back(long(found[i].member.key));
    }
};

int main(int count, char** arguments) {
    const char* kind = count > 1 ? arguments[1] : "f32";
    bool scaled = std::strcmp(kind, "i8-scaled") == 0, quantised = scaled || std::strcmp(kind, "i8") == 0;
    Usearch peer(quantised, scaled);
    return run(peer, std::string("usearch-") + kind, "headers of npm's usearch",
               std::string("g++ -O3 -march=native with its NumKong kernels, ") +
                   (scaled ? "int8 by each vector's largest value, cosine, "
                    : quantised ? "its int8 quantisation, cosine as inner product of normalised vectors, "
                                : "float32, cosine as inner product of normalised vectors, ") +
                   "bytes as int8 without loss where quantised, connectivity and expansion_add as asked");
}
