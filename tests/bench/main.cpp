#include <benchmark/benchmark.h>

#include <string>
#include <vector>

// As Google Benchmark's own main, but JSON is what it prints unless another format is asked for.
int main(int argc, char** argv) {
  std::string format = "--benchmark_format=json";
  std::vector<char*> arguments{argv[0], format.data()};
  arguments.insert(arguments.end(), argv + 1, argv + argc);
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
