// What the C++ drivers share: the protocol of README.md, vector files, threads, times.
#pragma once
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

// Processor time of all threads of this process.
inline double processor_seconds() {
    timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return double(now.tv_sec) + double(now.tv_nsec) * 1e-9;
}

// One flat JSON object: strings, numbers, true and false. The harness sends nothing else.
class Request {
    std::map<std::string, std::string> values_;

    static unsigned hex(const std::string& line, size_t at) { return unsigned(std::stoul(line.substr(at, 4), nullptr, 16)); }

    static void append(std::string& value, unsigned code) {
        if (code < 0x80) {
            value += char(code);
            return;
        }
        int rest = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
        value += char((0xf00 >> rest & 0xff) | code >> 6 * rest);
        while (rest-- > 0)
            value += char(0x80 | (code >> 6 * rest & 0x3f));
    }

    static std::string text(const std::string& line, size_t& at) {
        std::string value;
        for (at++; at < line.size() && line[at] != '"'; at++) {
            if (line[at] != '\\') {
                value += line[at];
                continue;
            }
            switch (line[++at]) {
            case 'n': value += '\n'; break;
            case 't': value += '\t'; break;
            case 'r': value += '\r'; break;
            case 'b': value += '\b'; break;
            case 'f': value += '\f'; break;
            case 'u': {
                unsigned code = hex(line, at + 1);
                at += 4;
                if (code >= 0xd800 && code < 0xdc00 && line.compare(at + 1, 2, "\\u") == 0) {
                    code = 0x10000 + ((code - 0xd800) << 10) + (hex(line, at + 3) - 0xdc00);
                    at += 6;
                }
                append(value, code);
                break;
            }
            default: value += line[at];
            }
        }
        at++;
        return value;
    }

public:
    explicit Request(const std::string& line) {
        for (size_t at = 0; (at = line.find('"', at)) != std::string::npos;) {
            auto name = text(line, at);
            at = line.find(':', at) + 1;
            while (line[at] == ' ')
                at++;
            if (line[at] == '"') {
                values_[name] = text(line, at);
            } else {
                auto end = line.find_first_of(",}", at);
                values_[name] = line.substr(at, end - at);
                at = end;
            }
        }
    }

    std::string text(const std::string& name, const std::string& fallback = "") const {
        auto found = values_.find(name);
        return found == values_.end() ? fallback : found->second;
    }

    int number(const std::string& name, int fallback) const {
        auto found = values_.find(name);
        return found == values_.end() ? fallback : std::stoi(found->second);
    }

    bool flag(const std::string& name) const { return text(name) == "true"; }
};

struct Vectors {
    size_t count = 0, dims = 0;
    bool bytes = false;  // the file held bytes
    std::vector<float> values;

    const float* operator[](size_t row) const { return values.data() + row * dims; }

    // DIR/stem.bvecs or DIR/stem.fvecs: an int32 dimension, then that many values, row after row.
    static Vectors read(const std::string& stem) {
        Vectors set;
        std::ifstream file(stem + ".bvecs", std::ios::binary);
        set.bytes = file.good();
        if (!set.bytes)
            file.open(stem + ".fvecs", std::ios::binary);
        if (!file)
            throw std::runtime_error("no " + stem + ".bvecs or .fvecs");
        size_t width = set.bytes ? 1 : 4;
        int32_t dims;
        std::vector<char> row;
        while (file.read(reinterpret_cast<char*>(&dims), 4)) {
            set.dims = dims;
            row.resize(dims * width);
            file.read(row.data(), row.size());
            for (int i = 0; i < dims; i++)
                set.values.push_back(set.bytes ? float(uint8_t(row[i])) : reinterpret_cast<float*>(row.data())[i]);
            set.count++;
        }
        return set;
    }

    void keep(size_t most) {
        count = std::min(count, most);
        values.resize(count * dims);
    }

    void normalise() {
        for (size_t row = 0; row < count; row++) {
            float* v = values.data() + row * dims;
            double squares = 0;
            for (size_t i = 0; i < dims; i++)
                squares += double(v[i]) * v[i];
            if (squares == 0)
                continue;
            float scale = float(1 / std::sqrt(squares));
            for (size_t i = 0; i < dims; i++)
                v[i] *= scale;
        }
    }

    // Zeros at the end of every row change neither dot products nor Euclidean distances.
    void pad(size_t multiple) {
        size_t wide = (dims + multiple - 1) / multiple * multiple;
        if (wide == dims)
            return;
        std::vector<float> padded(count * wide);
        for (size_t row = 0; row < count; row++)
            std::copy((*this)[row], (*this)[row] + dims, padded.begin() + row * wide);
        values.swap(padded);
        dims = wide;
    }
};

// Runs work(0 .. count-1) on so many threads, each taking the next that is left.
template <class Work>
void in_parallel(size_t count, int threads, Work work) {
    std::atomic<size_t> next{0};
    auto run = [&] {
        for (size_t i; (i = next.fetch_add(1)) < count;)
            work(i);
    };
    if (threads <= 1) {
        run();
        return;
    }
    std::vector<std::thread> workers;
    for (int t = 0; t < threads; t++)
        workers.emplace_back(run);
    for (auto& worker : workers)
        worker.join();
}

inline long resident_bytes() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;)
        if (word == "VmRSS:") {
            long kilobytes;
            status >> kilobytes;
            return kilobytes * 1024;
        }
    return 0;
}

// A peer is a class with
//   void load(const std::string& metric)  (may change base and queries: normalise, pad)
//   void build(const Request&)
//   void effort(const Request&)
//   void search(size_t query, size_t k, std::vector<long>& ids)  (called by several threads at once; ids best first)
struct Peer {
    Vectors base, queries;

    // Queries at once, where the library has a call of its own for that which is quicker than one by one; else false.
    virtual bool search_all(size_t, int) { return false; }
    virtual void load(const std::string& metric) = 0;
    virtual void build(const Request& request) = 0;
    virtual void effort(const Request& request) = 0;
    virtual void search(size_t query, size_t k, std::vector<long>& ids) = 0;
    virtual ~Peer() = default;
};

// The member "ids" of an answer.
template <typename Ids>
void print_ids(const Ids& ids) {
    std::printf(",\"ids\":[");
    for (size_t i = 0; i < ids.size(); i++) {
        std::printf(i ? ",[" : "[");
        for (size_t j = 0; j < ids[i].size(); j++)
            std::printf(j ? ",%ld" : "%ld", long(ids[i][j]));
        std::printf("]");
    }
    std::printf("]");
}

inline void answer_search(Peer& peer, const Request& request) {
    size_t count = peer.queries.count, k = request.number("k", 10), passes = request.number("passes", 1);
    int threads = request.number("threads", 1);
    std::vector<std::vector<long>> ids(count);
    std::vector<double> times(count * passes);
    peer.effort(request);
    double cpu = processor_seconds();
    auto start = Clock::now();
    in_parallel(count * passes, threads, [&](size_t i) {
        auto began = Clock::now();
        auto& found = ids[i % count];
        found.clear();
        peer.search(i % count, k, found);
        times[i] = seconds_since(began) * 1e6;
    });
    double seconds = seconds_since(start);
    cpu = processor_seconds() - cpu;
    double whole_cpu = processor_seconds();
    start = Clock::now();
    bool whole = true;
    for (size_t pass = 0; pass < passes && whole; pass++)
        whole = peer.search_all(k, threads);
    if (whole && seconds_since(start) < seconds) {
        seconds = seconds_since(start);
        cpu = processor_seconds() - whole_cpu;
    }
    std::sort(times.begin(), times.end());
    std::printf("{\"queries\":%zu,\"seconds\":%.6f,\"cpu_seconds\":%.6f,\"p50_us\":%.1f,\"p99_us\":%.1f", count * passes, seconds, cpu,
                times[times.size() / 2], times[times.size() * 99 / 100]);
    if (request.flag("ids"))
        print_ids(ids);
    std::printf("}\n");
}

// Greets, then has every request answered until it is told to quit.
template <typename Answer>
int serve(const std::string& name, const std::string& version, const std::string& settings, Answer answer) {
    std::printf("{\"peer\":\"%s\",\"version\":\"%s\",\"settings\":\"%s\"}\n", name.c_str(), version.c_str(), settings.c_str());
    std::fflush(stdout);
    for (std::string line; std::getline(std::cin, line);) {
        Request request(line);
        auto op = request.text("op");
        if (op == "quit")
            return 0;
        try {
            if (!answer(op, request))
                std::printf("{\"error\":\"unknown op\"}\n");
        } catch (const std::exception& e) {
            std::printf("{\"error\":\"%s\"}\n", e.what());
        }
        std::fflush(stdout);
    }
    return 0;
}

inline int run(Peer& peer, const std::string& name, const std::string& version, const std::string& settings) {
    return serve(name, version, settings, [&](const std::string& op, const Request& request) {
        if (op == "load") {
            auto folder = request.text("data") + "/" + request.text("set");
            peer.base = Vectors::read(folder + "/base");
            peer.queries = Vectors::read(folder + "/query");
            peer.queries.keep(request.number("queries", int(peer.queries.count)));
            size_t dims = peer.base.dims;
            peer.load(request.text("metric"));
            std::printf("{\"rows\":%zu,\"dims\":%zu,\"queries\":%zu}\n", peer.base.count, dims, peer.queries.count);
        } else if (op == "build") {
            long before = resident_bytes();
            double cpu = processor_seconds();
            auto start = Clock::now();
            peer.build(request);
            std::printf("{\"seconds\":%.3f,\"cpu_seconds\":%.3f,\"bytes\":%ld}\n", seconds_since(start),
                        processor_seconds() - cpu, resident_bytes() - before);
        } else if (op == "search") {
            answer_search(peer, request);
        } else {
            return false;
        }
        return true;
    });
}
