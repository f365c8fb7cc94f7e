// Faiss of Debian's libfaiss-dev: IndexHNSWFlat.
#include <faiss/IndexHNSW.h>
#include <omp.h>
#include <memory>
#include "driver.hpp"

struct Faiss final : Peer {
    std::unique_ptr<faiss::IndexHNSWFlat> index;
    std::vector<float> distances;
    std::vector<faiss::Index::idx_t> labels;

    // Of normalised vectors Euclidean distance orders as cosine does.
    void load(const std::string& metric) override {
        if (metric != "euclid") {
            base.normalise();
            queries.normalise();
        }
    }

    void build(const Request& request) override {
        omp_set_num_threads(request.number("threads", 1));
        index = std::make_unique<faiss::IndexHNSWFlat>(int(base.dims), request.number("m", 16));
        index->hnsw.efConstruction = request.number("ef_construct", 200);
        index->add(base.count, base.values.data());
    }

    void effort(const Request& request) override { index->hnsw.efSearch = request.number("ef", 64); }

    void search(size_t query, size_t k, std::vector<long>& ids) override {
        omp_set_num_threads(1);
        float distance[128];
        faiss::Index::idx_t label[128];
        index->search(1, queries[query], faiss::Index::idx_t(k), distance, label);
        for (size_t i = 0; i < k && label[i] >= 0; i++)
            ids.push_back(long(label[i]));
    }

    // One call for many queries makes its table of visited rows once, not once a query.
    bool search_all(size_t k, int threads) override {
        distances.resize(queries.count * k);
        labels.resize(queries.count * k);
        omp_set_num_threads(threads);
        index->search(queries.count, queries.values.data(), faiss::Index::idx_t(k), distances.data(), labels.data());
        return true;
    }
};

int main() {
    Faiss peer;
    return run(peer, "faiss", "Debian libfaiss-dev",
               "IndexHNSWFlat, Debian's own generic build of its kernels, queries in one call (p99: one by one)");
}
